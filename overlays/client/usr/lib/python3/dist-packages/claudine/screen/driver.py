"""The terminal that a screen is drawn on, as Textual's driver for Linux has it, with three differences.

What a console's font lacks is not sent there. Keys are waited for without looking ten times a second, so that an idle
screen costs nothing. And a line that hangs up ends the program instead of keeping it busy.
"""

import contextlib
import os
import selectors
import signal
import sys
from codecs import getincrementaldecoder
from typing import Any, TextIO

from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from claudine.screen.glyphs import for_console

# A moment longer than an escape character may be the beginning of a key's sequence, and not the Escape key.
_ESCAPE_S = 0.15


class HungUp(Exception):  # noqa: N818 — nothing went wrong
    """The other end of the terminal is gone: what ``App.run`` returns then."""


class ConsoleDriver(LinuxDriver):
    """Reads keys from standard input, and writes to standard output: standard error may be a journal."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._file = _Output(sys.__stdout__)  # type: ignore[assignment,arg-type]
        self._wake_reader, self._wake_writer = os.pipe()
        # Textual suspends the program there; no key may, where there is no shell that could bring it back.
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, lambda *_: self._hang_up())

    def disable_input(self) -> None:
        """Let the thread that waits for keys end."""
        os.write(self._wake_writer, b"\n")
        super().disable_input()

    def run_input_thread(self) -> None:
        """Wait for keys and pass them on."""
        parser = XTermParser()
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            patience_s = None
            while True:
                ready = {key.fd for key, _ in selector.select(patience_s)}
                if self._wake_reader in ready:
                    os.read(self._wake_reader, 1)
                    return
                if ready:
                    received = self._read()
                    if not received:
                        self._hang_up()
                        return
                    messages = list(parser.feed(decode(received)))
                else:
                    messages = list(parser.tick())
                patience_s = _ESCAPE_S if ready else None
                for message in messages:
                    self.process_message(message)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""

    def _hang_up(self) -> None:
        # The kernel's signal and the end of what can be read tell it twice, and the second may come after the end.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._app.exit, HungUp())


class _Output:
    """Standard output, for a writer that must not fail: who reads the keys finds out that nobody is there."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._translate = for_console if os.environ.get("TERM") == "linux" else str

    def write(self, text: str) -> None:
        try:
            self._out.write(self._translate(text))
        except (OSError, ValueError):
            return

    def flush(self) -> None:
        try:
            self._out.flush()
        except (OSError, ValueError):
            return

    def fileno(self) -> int:
        return self._out.fileno()
