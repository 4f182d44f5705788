"""One line that says what is going on, and goes away.

On a terminal it is rewritten in place with a carriage return and blanks, which every terminal understands; anywhere
else it is a plain line now and then, or nothing.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from claudine.voice import seconds

_DEFAULT_COLUMNS = 80


class TerminalGoneError(Exception):
    """Nobody can read us any more: a closed pipe, a hung-up line."""


class Status:
    """A status line on *out*. Not in place, it writes a line at most every *every_s* seconds, with None never."""

    def __init__(self, out: TextIO, *, every_s: float | None = 10.0) -> None:
        self._out = out
        self.in_place = out.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
        self._every_s = every_s
        self._last_line_s: float | None = None
        self._shown = ""
        self._lock = threading.Lock()

    def show(self, text: str) -> None:
        """Put *text* where the last one was."""
        with self._lock:
            if self.in_place:
                text = text[: self.columns() - 1]
                if text != self._shown:
                    self._write("\r" + text.ljust(len(self._shown)))
                self._shown = text
            elif self._line_is_due():
                self._last_line_s = time.monotonic()
                self._write(text + "\n")

    def clear(self) -> None:
        """Leave the line as if nothing had stood there."""
        with self._lock:
            if self._shown:
                self._write("\r" + " " * len(self._shown) + "\r")
            self._shown = ""

    @contextmanager
    def ticking(self) -> Iterator["Ticker"]:
        """Show a text with the seconds that pass, until ``stop()`` or the end of the block; in place or not at all."""
        ticker = Ticker(self)
        try:
            yield ticker
        finally:
            ticker.stop()

    def columns(self) -> int:
        """Return how wide the terminal is."""
        try:
            # A serial line has no size to tell: 0.
            return os.get_terminal_size(self._out.fileno()).columns or _DEFAULT_COLUMNS
        except (OSError, ValueError):
            return _DEFAULT_COLUMNS

    def _line_is_due(self) -> bool:
        if self._every_s is None:
            return False
        return self._last_line_s is None or time.monotonic() - self._last_line_s >= self._every_s

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except (OSError, ValueError) as error:
            raise TerminalGoneError from error


class Ticker:
    """Counts the seconds in the background: while a model reads a prompt, nothing else shows that it is alive."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._text = ""
        self._started_s = time.monotonic()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, text: str, *, elapsed_s: float | None = None) -> None:
        """Change the text; the count goes on, or begins at *elapsed_s*."""
        self._text = text
        if elapsed_s is not None:
            self._started_s = time.monotonic() - elapsed_s
        if not self._status.in_place:
            return
        self._show()
        if self._thread is None:
            self._stopped = threading.Event()
            self._thread = threading.Thread(target=self._tick, args=(self._stopped,), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Clear the line, until there is something to say again. Harmless when done before."""
        if self._thread is not None:
            self._stopped.set()
            self._thread.join()
            self._status.clear()
            self._thread = None

    def _show(self) -> None:
        self._status.show(f"{self._text}: {seconds(time.monotonic() - self._started_s)}")

    def _tick(self, stopped: threading.Event) -> None:
        try:
            while not stopped.wait(1.0):
                self._show()
        except TerminalGoneError:
            # Whoever speaks next will find out.
            return
