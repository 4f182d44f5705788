"""Ctrl+C means something only where there is something to stop.

Python would raise ``KeyboardInterrupt`` wherever it happens to be: in an import, in a clean-up, between starting a
thread and noting that it runs. Here it is raised while we wait for somebody else, and nowhere else.
"""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

Item = TypeVar("Item")


class Interrupts:
    """Take over SIGINT for the whole program. A press that comes while nobody cares is dropped."""

    def __init__(self) -> None:
        self._armed = False
        self._missed = False
        self._action: Callable[[], None] | None = None
        signal.signal(signal.SIGINT, self._pressed)

    def forget(self) -> None:
        """Drop a press that came while nobody waited."""
        self._missed = False

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Let one Ctrl+C through as ``KeyboardInterrupt``; those from before are forgotten."""
        self.forget()
        self._armed = True
        try:
            yield
        finally:
            self._armed = False

    def each(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield *items*, armed while waiting for the next. A press since ``forget()`` counts too."""
        iterator = iter(items)
        while True:
            self._armed = True
            try:
                if self._missed:
                    raise KeyboardInterrupt
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self._armed = False
            yield item

    @contextmanager
    def calling(self, action: Callable[[], None]) -> Iterator[None]:
        """Let each Ctrl+C call *action*, in the middle of whatever is done; nothing is raised."""
        self._action = action
        try:
            yield
        finally:
            self._action = None

    def _pressed(self, _signal: int, _frame: FrameType | None) -> None:
        if self._action is not None:
            self._action()
        elif self._armed:
            self._armed = False
            raise KeyboardInterrupt
        self._missed = True
