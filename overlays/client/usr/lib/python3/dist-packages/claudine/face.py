"""How a command speaks with a person, whatever the terminal is.

Every call blocks until the person has answered, so a command reads from top to bottom:

    name = face.ask("Name: ", draft=talk.record.title)
    if name is not None:
        ...

None always means that the person went back (Escape, Ctrl+C, Ctrl+D), and then nothing is changed.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from claudine.stop import Stop


class StoppedError(Exception):
    """The person stopped what a command was busy with. A command need not catch it: the face says so."""


@dataclass(frozen=True)
class Option:
    """A line to choose: what it is, and in a few words what there is to know of it. *key* is found by typing, too."""

    title: str
    note: str = ""
    key: str = ""


class Face(Protocol):
    """A terminal with a person at it, or a pipe."""

    @property
    def interactive(self) -> bool:
        """Say whether somebody is there to answer."""

    @property
    def virtual(self) -> bool:
        """Say whether this is the screen and the keyboard of the machine itself."""

    @property
    def wipes(self) -> bool:
        """Say whether ``ask_alone`` can leave nothing on the screen."""

    def remark(self, sentence: str) -> None:
        """Say one sentence, set apart from the conversation. It does not wait."""

    def page(self, title: str, text: str) -> None:
        """Show a text that is read and left: a help page, a licence. Lines are wrapped, blank lines part paragraphs."""

    def ask(self, prompt: str, *, draft: str = "", about: str = "") -> str | None:
        """Ask for one line, beginning with *draft*; *about* explains first what it is for."""

    def ask_alone(self, rows: Sequence[str], note: str, prompt: str) -> str | None:
        """Ask with nothing but *rows* (80 columns, 22 rows at most) and *note* on the screen, wiped afterwards."""

    def choose(self, title: str, options: Sequence[Option], *, about: str = "", start: int = 0) -> int | None:
        """Let one of *options* be chosen and return its place. Long lists can be searched by typing."""

    def busy(self, text: str, stop: "Stop | None" = None) -> AbstractContextManager[Callable[[str], None]]:
        """Show *text* and the seconds that pass, until the block ends; the value changes the text.

        Escape or Ctrl+C ends it where that does no harm: the value raises StoppedError when it is called next. Whoever
        waits for somebody else gives *stop*, which is pressed then; the error comes at the end of the block.
        """

    def show_conversation(self) -> None:
        """Show where we are, after a command has moved to another place or another conversation."""
