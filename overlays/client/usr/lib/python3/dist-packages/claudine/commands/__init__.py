"""What a person can ask the client for, each written once for both faces.

A command is found by its name (``/name`` in both faces), in the menu, and by its key on the screen. One that makes
Claudine speak returns the answer, and the face shows it as any other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claudine.face import Face
from claudine.state import StateService

if TYPE_CHECKING:
    # The machine's own commands come before the conversation is loaded.
    from claudine.talk import Answer, Talk


@dataclass(frozen=True)
class Session:
    """One person at one terminal."""

    talk: "Talk"
    face: Face
    service: StateService


@dataclass(frozen=True)
class Command:
    """*title* is what it does, for the menu; *run* gets what was written behind the name. *key* is Textual's name."""

    name: str
    title: str
    run: Callable[[Session, str], "Answer | None"]
    key: str = ""
    argument: str = ""
    needs_person: bool = True


def called(line: str) -> tuple[str, str] | None:
    """Return the name and the argument of the command that *line* calls, known or not; None if it is a message."""
    name, _, argument = line.removeprefix("/").partition(" ")
    if not line.startswith("/") or not name.replace("-", "").isalpha():
        return None
    return name, argument.strip()
