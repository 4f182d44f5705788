"""The terminal or serial line that a conversation runs on: lines in, text out, nothing written anywhere else."""

import io
import os
import re
import select
import sys
import termios
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Literal, TextIO

from claudine.plain.status import Status, TerminalGoneError


class Terminal:
    """Standard input and output, taken as they are: a console, a serial line, a pipe, or closed."""

    def __init__(self) -> None:
        self._in = _stream(sys.stdin, "r")
        self._out = _stream(sys.stdout, "w")
        self.errors = _stream(sys.stderr, "w")
        self.interactive = self._in.isatty()
        self.name = self._find_name()
        # A screen and a keyboard at this machine.
        self.virtual = re.fullmatch(r"tty\d+", self.name) is not None
        self.status = Status(self._out)
        self._readline: ModuleType | None = None

    def say(self, text: str, end: str = "\n") -> None:
        """Print *text* at once."""
        try:
            self._out.write(text + end)
            self._out.flush()
        except (OSError, ValueError) as error:
            raise TerminalGoneError from error

    def remark(self, sentence: str) -> None:
        """Print *sentence* set apart: what the client says is not what the model says."""
        self.say(f"[{sentence}]")

    def clear(self) -> None:
        """Take everything off the screen, and out of what can be scrolled back to. A dumb terminal keeps it."""
        if self.status.in_place:
            self.say("\x1b[H\x1b[2J\x1b[3J", end="")

    def break_line(self) -> None:
        """End a line before something else follows, on a screen. A script gets nothing but the answer."""
        if self._out.isatty():
            self.say("")

    def complain(self, text: str) -> None:
        """Print *text* on standard error; if even that is gone, there is nobody left to tell."""
        try:
            print(text, file=self.errors, flush=True)
        except (OSError, ValueError):
            return

    def read_line(self, prompt: str, draft: str = "", *, recall: bool = True) -> str:
        """Let the person write a line, beginning with *draft*. With *recall*, the up arrow brings it back later.

        Raises EOFError at the end of input, KeyboardInterrupt on Ctrl+C, TerminalGoneError.
        """
        if not self.interactive:
            return self._read_piped(prompt)
        readline = self._line_editor()
        if readline is not None and draft:
            readline.set_startup_hook(lambda: readline.insert_text(draft))
        if readline is not None:
            readline.set_auto_history(recall)
        try:
            return input(prompt)
        except (OSError, ValueError, RuntimeError) as error:
            raise TerminalGoneError from error
        finally:
            if readline is not None:
                readline.set_startup_hook()

    def read_all(self) -> str:
        """Return everything up to the end of input. Raises TerminalGoneError."""
        try:
            return self._in.read()
        except (OSError, ValueError) as error:
            raise TerminalGoneError from error

    def recall(self, lines: Iterable[str]) -> None:
        """Let the arrow keys bring back *lines*, and no others. They are in memory only."""
        readline = self._line_editor() if self.interactive else None
        if readline is not None:
            readline.clear_history()
            for line in lines:
                readline.add_history(line)

    def hung_up(self) -> bool:
        """Say whether the other end of the line is gone."""
        poll = select.poll()
        poll.register(self._in.fileno(), select.POLLIN)
        return any(happened & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, happened in poll.poll(0))

    @contextmanager
    def keeping_output(self) -> Iterator[None]:
        """Let Ctrl+C discard nothing: left alone, the kernel drops what is not on the screen yet."""
        with self._local_mode(switched_on=termios.NOFLSH):
            yield

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Do not show what is typed meanwhile, in the middle of an answer: it waits for the next line."""
        with self._local_mode(switched_off=termios.ECHO):
            yield

    @contextmanager
    def _local_mode(self, *, switched_on: int = 0, switched_off: int = 0) -> Iterator[None]:
        try:
            before = termios.tcgetattr(self._in.fileno())
        except (termios.error, OSError, ValueError):
            yield
            return
        changed = before.copy()
        changed[3] = changed[3] & ~switched_off | switched_on
        self._set(changed)
        try:
            yield
        finally:
            self._set(before)

    def abandon(self) -> None:
        """Point standard output at nothing, so that what is left in the buffer cannot fail a second time."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.close(nothing)

    def _set(self, attributes: list[int | list[bytes | int]]) -> None:
        try:
            termios.tcsetattr(self._in.fileno(), termios.TCSADRAIN, attributes)
        except termios.error:
            # Only a line that hung up refuses; the next word on it will tell.
            return

    def _find_name(self) -> str:
        """Return ``tty1``, ``ttyS0`` or ``pts/0``, or nothing if it is no terminal, or one from another container."""
        try:
            return os.ttyname(self._in.fileno()).removeprefix("/dev/")
        except (OSError, ValueError):
            return ""

    def _read_piped(self, prompt: str) -> str:
        try:
            line = self._in.readline()
        except (OSError, ValueError) as error:
            raise TerminalGoneError from error
        if not line:
            raise EOFError
        # The other end does not show what it sends, so the transcript would lack it.
        self.say(prompt + line.rstrip("\n"))
        return line

    def _line_editor(self) -> ModuleType | None:
        if self._readline is None:
            if sys.flags.utf8_mode:
                # Nobody set a locale, so Python takes UTF-8, but readline asks the C library: it would show \303\274
                # for an umlaut and delete half of it.
                os.environ["LC_ALL"] = "C.UTF-8"
            try:
                import readline
            except ImportError:
                return None
            self._readline = readline
        return self._readline


def _stream(stream: TextIO | None, mode: Literal["r", "w"]) -> TextIO:
    """Return *stream*, or nothing's if it is closed; bytes that are not text must not stop a conversation."""
    if stream is None:
        # The lowest free descriptor is the closed one; left free, a connection would get it and hear what we say.
        return open(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8", closefd=False)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    return stream
