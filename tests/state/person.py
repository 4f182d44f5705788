"""Somebody at a pseudo-terminal, and a dialog at its other end."""

import os
import pty
import select
import termios
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from claudine_state.console import Console

_PATIENCE_S = 30.0

Result = TypeVar("Result")


class Person(Generic[Result]):
    """Reads what *dialog* says, and types; ``end`` gives what the dialog has returned or raised."""

    def __init__(self, dialog: Callable[[Console], Result]) -> None:
        self._master, self._terminal = pty.openpty()
        self._dialog = dialog
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._result: list[Result] = []
        self._raised: Exception | None = None
        self.attributes_before = self.attributes()
        self._unread = ""
        self.screen = ""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        self._thread.join(_PATIENCE_S)
        os.close(self._terminal)

    def reads(self, text: str) -> None:
        """Wait until *text* is on the screen; line breaks that only the width made are spaces."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while text not in self._unread and text not in self._unread.replace("\n", " "):
            assert time.monotonic() < deadline_s, f"{text!r} is not on the screen:\n{self._unread}"
            self._look(0.05)
        unbroken = self._unread if text in self._unread else self._unread.replace("\n", " ")
        self._unread = self._unread[unbroken.index(text) + len(text) :]

    def types(self, text: str) -> None:
        # The dialog forgets what was typed before it listens; it says what it waits for a moment earlier.
        deadline_s = time.monotonic() + _PATIENCE_S
        while self.attributes() == self.attributes_before:
            assert time.monotonic() < deadline_s, "nobody listens"
            time.sleep(0.005)
        os.write(self._master, text.encode())

    def attributes(self) -> list[Any]:
        return termios.tcgetattr(self._terminal)

    def hang_up(self) -> None:
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def end(self) -> Result:
        self._thread.join(_PATIENCE_S)
        assert not self._thread.is_alive(), self._unread
        while self._master >= 0 and self._look(0):
            pass
        if self._raised:
            raise self._raised
        return self._result[0]

    def _look(self, patience_s: float) -> bool:
        if not select.select([self._master], [], [], patience_s)[0]:
            return False
        seen = os.read(self._master, 4096).decode(errors="replace").replace("\r\n", "\n")
        self._unread += seen
        self.screen += seen
        return True

    def _talk(self) -> None:
        try:
            self._result.append(self._dialog(Console(self._terminal, self._terminal)))
        except Exception as error:
            self._raised = error
