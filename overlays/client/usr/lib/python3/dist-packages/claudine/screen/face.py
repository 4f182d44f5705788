"""How a command, in a thread of its own, speaks with the person at the screen.

Each call hands over to Textual's thread and waits there for the answer. When the screen is gone, so is the command.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from textual.screen import Screen

from claudine.face import Option, StoppedError
from claudine.screen.dialogs import AloneScreen, AskScreen, ChooseScreen, PageScreen
from claudine.stop import Stop
from claudine.text import printable

if TYPE_CHECKING:
    from claudine.screen.app import ClaudineApp

Result = TypeVar("Result")


class FaceGoneError(Exception):
    """The screen ended while a command was at work."""


class ScreenFace:
    """The face of *app*. *virtual*: the screen and the keyboard are the machine's own."""

    interactive = True
    wipes = True

    def __init__(self, app: "ClaudineApp", *, virtual: bool) -> None:
        self._app = app
        self.virtual = virtual
        self._stop: Stop | None = None

    def remark(self, sentence: str) -> None:
        """Put one sentence below the conversation."""
        self._app.there(self._app.remark, sentence)

    def page(self, title: str, text: str) -> None:
        """Show a text until it is left."""
        self._ask(lambda: PageScreen(printable(title), printable(text)))

    def ask(self, prompt: str, *, draft: str = "", about: str = "") -> str | None:
        """Ask for a line."""
        answer = self._ask(lambda: AskScreen(printable(prompt), draft, printable(about)))
        return None if answer is None else printable(answer).strip()

    def ask_alone(self, rows: Sequence[str], note: str, prompt: str) -> str | None:
        """Ask with nothing else on the screen."""
        answer = self._ask(lambda: AloneScreen(rows, note, prompt))
        return None if answer is None else printable(answer).strip()

    def choose(self, title: str, options: Sequence[Option], *, about: str = "", start: int = 0) -> int | None:
        """Ask for one of *options*."""
        return self._ask(lambda: ChooseScreen(printable(title), options, printable(about), start))

    @contextmanager
    def busy(self, text: str, stop: Stop | None = None) -> Iterator[Callable[[str], None]]:
        """Show what is being done in the state line; a frame for what may take no time at all would only flicker."""
        self._stop = pressed = stop or Stop()

        def say(changed: str) -> None:
            if pressed.pressed:
                raise StoppedError
            self._app.there(self._app.count, changed)

        say(text)
        try:
            yield say
        finally:
            self._stop = None
            self._app.there(self._app.stop_counting)
        if stop is not None and stop.pressed:
            raise StoppedError

    def stop(self) -> bool:
        """End what a command is busy with, if that can be ended; say whether there is anything."""
        if (stop := self._stop) is None:
            return False
        stop.press()
        return True

    def show_conversation(self) -> None:
        """Show where we are."""
        self._app.there(self._app.show_conversation)

    def _ask(self, screen: Callable[[], Screen[Result]]) -> Result | None:
        """Show a screen, made in the thread that draws, and return what it ends with."""
        answer: Future[Result | None] = Future()
        with self._app.answered_or_gone(answer):
            self._app.there(self._show, screen, answer)
            return answer.result()

    def _show(self, screen: Callable[[], Screen[Result]], answer: "Future[Result | None]") -> None:
        self._app.push_screen(screen(), answer.set_result)
