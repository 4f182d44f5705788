"""A face with a person at it who says what a test wants, and a record of what they were shown.

    face = ScriptedFace(["German", "", None])

Each question takes the next answer: a text to type, "" for Enter (the draft, or where the choice starts), None to go
back; or a function of the question, which returns one of these. A choice is made by the beginning of a title.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from claudine.face import Option
from claudine.stop import Stop

Reply = str | None
Script = Sequence["Reply | Callable[[], Reply]"]


class ScriptedFace:
    """Fails when it is asked more than the script has answers for, or offered less than it wants."""

    interactive = True
    wipes = True

    def __init__(self, script: Script = (), *, virtual: bool = True) -> None:
        self._script = list(script)
        self.virtual = virtual
        self.remarks: list[str] = []
        self.asked: list[str] = []
        self.offered: list[list[Option]] = []
        self.pages: list[str] = []
        self.about = ""

    @property
    def said(self) -> str:
        """All remarks and pages."""
        return "\n".join([*self.remarks, *self.pages])

    def remark(self, sentence: str) -> None:
        self.remarks.append(sentence)

    def page(self, title: str, text: str) -> None:
        self.pages.append(f"{title}\n{text}")

    def ask(self, prompt: str, *, draft: str = "", about: str = "") -> str | None:
        reply = self._reply(f"{about} {prompt}".strip())
        return draft if reply == "" else reply

    def ask_alone(self, rows: Sequence[str], note: str, prompt: str) -> str | None:
        return self._reply(prompt)

    def choose(self, title: str, options: Sequence[Option], *, about: str = "", start: int = 0) -> int | None:
        self.offered.append(list(options))
        self.about = about
        reply = self._reply(title)
        if not reply:
            return None if reply is None else start
        for place, option in enumerate(options):
            if option.title.startswith(reply):
                return place
        raise AssertionError(f"{reply!r} is not offered: {[option.title for option in options]}")

    @contextmanager
    def busy(self, text: str, stop: Stop | None = None) -> Iterator[Callable[[str], None]]:
        yield lambda _: None

    def show_conversation(self) -> None:
        pass

    def reply_with(self, script: Script) -> None:
        """Answer as *script* says from now on."""
        self._script = list(script)

    def finished(self) -> bool:
        """Say whether the script is at its end."""
        return not self._script

    def _reply(self, question: str) -> str | None:
        self.asked.append(question)
        assert self._script, f"nobody expected: {question}"
        reply = self._script.pop(0)
        return reply() if callable(reply) else reply
