"""The terminal that a person is sitting at: text out, lines and single keys in. No key ends or stops anything."""

import os
import termios
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from claudine_state.text import printable

# One less than the screen has, so that no terminal begins a new line of its own.
_WIDTH = 79
_INPUT, _LOCAL, _CONTROL_CHARACTERS = 0, 3, 6


class TerminalGoneError(Exception):
    """There is nobody at the other end any more."""


class Console:
    """A terminal, by the descriptors of its two directions. All methods raise TerminalGoneError."""

    def __init__(self, source: int = 0, target: int = 1) -> None:
        self._source = source
        self._target = target

    def clear(self) -> None:
        """Begin with an empty screen."""
        self._write("\x1b[H\x1b[2J\x1b[3J")

    def say(self, text: str) -> None:
        """Print paragraphs, wrapped at words, and an empty line."""
        for paragraph in text.splitlines():
            self._write(textwrap.fill(paragraph, _WIDTH) + "\n")
        self._write("\n")

    def quote(self, lines: Iterable[str]) -> None:
        """Print *lines* of another program as they are, as far as they fit, and an empty line."""
        for line in lines:
            self._write(f"  {printable(line)}"[:_WIDTH] + "\n")
        self._write("\n")

    def read_key(self) -> str:
        """Wait for one key press. A key that sends more than one character, such as an arrow, is no answer."""
        while True:
            with self._keyboard(lines=False, echo=False):
                pressed = self._read()
            if len(pressed) == 1 and pressed.isalpha():
                return pressed.decode().lower()

    def read_line(self, prompt: str, *, echo: bool = True) -> str:
        """Let the person write a line. What is no UTF-8 comes back as something that is not printable."""
        with self._keyboard(lines=True, echo=echo):
            self._write(prompt)
            return self._read().decode(errors="surrogateescape").removesuffix("\n")

    @contextmanager
    def _keyboard(self, *, lines: bool, echo: bool) -> Iterator[None]:
        """Set the keyboard, and forget what was typed before: nobody had read the question then."""
        try:
            before = termios.tcgetattr(self._source)
            now = termios.tcgetattr(self._source)
            # No flow control: Ctrl+S would look like a machine that hangs. Without ISIG and with no VEOF, Ctrl+C and
            # Ctrl+D are keys like others.
            now[_INPUT] &= ~termios.IXON
            now[_LOCAL] = termios.ECHO * echo | termios.ICANON * lines | termios.ECHONL | termios.ECHOE | termios.ECHOK
            special = now[_CONTROL_CHARACTERS]
            if lines:
                special[termios.VEOF] = b"\0"
            else:
                special[termios.VMIN], special[termios.VTIME] = 1, 0
            termios.tcsetattr(self._source, termios.TCSAFLUSH, now)
            try:
                yield
            finally:
                termios.tcsetattr(self._source, termios.TCSADRAIN, before)
        except termios.error as error:
            raise TerminalGoneError from error

    def _read(self) -> bytes:
        try:
            data = os.read(self._source, 4096)
        except OSError as error:
            raise TerminalGoneError from error
        if not data:
            raise TerminalGoneError
        return data

    def _write(self, text: str) -> None:
        data = text.encode(errors="replace")
        try:
            while data:
                data = data[os.write(self._target, data) :]
        except OSError as error:
            raise TerminalGoneError from error
