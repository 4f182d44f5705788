"""What the main screens look like, compared with pictures that somebody has looked at.

``python tests/client/screen/test_looks.py`` takes them anew.
"""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

if __name__ == "__main__":
    root = Path(__file__).parents[3]
    sys.path[:0] = [str(root), str(root / "overlays/client/usr/lib/python3/dist-packages")]

from claudine.commands import Command, Session
from claudine.face import Option
from claudine.qr import qr_rows
from tests.client.screen.scripted import Person, Scene
from tests.support.fake_runtime import Answer

LOOKS = Path(__file__).parent / "looks"
LARGEST_BYTES = 150_000

ANSWER = """\
Yes. A list keeps its order:

- `append` adds *at the end*,
- `insert` adds **anywhere**.

```python
words = ["one", "two"]
words.append("three")
```

| what   | how long  |
|--------|-----------|
| append | no time   |
| insert | its length |

> Lists are cheap at their end.
"""


def _choose(session: Session, _: str) -> None:
    titles = ["Lists in Python", "What is a slot?", "A letter to my landlord", "Müller's soup", "Names for a boat"]
    session.face.choose(
        "Our conversations", [Option(f"{title} {n}", "12 messages") for n in range(4) for title in titles]
    )


def _ask(session: Session, _: str) -> None:
    session.face.ask(
        "Name: ", draft="claudine", about="This is what the device calls itself, on its screen and in exports."
    )


def _alone(session: Session, _: str) -> None:
    rows = ["cbdefghi - " * 4, ("cbdefghi - " * 4)[:-3], *qr_rows("-".join(["cbdefghi"] * 8))]
    session.face.ask_alone(rows, "Write it down or photograph it; I keep no copy.", "Its last eight letters: ")


def _nothing(session: Session, _: str) -> None: ...


COMMANDS = (
    Command("help", "Keys and commands", _nothing, key="f1"),
    Command("new", "Begin another conversation", _nothing, key="ctrl+n"),
    Command("chats", "Our conversations: open, search, delete", _choose, key="f3"),
    Command("name", "Name this device", _ask, argument="NAME"),
    Command("recovery-key", "Make a new recovery key for the disk", _alone),
    Command("prove", "Watch me prove that nothing leaves this machine", _nothing, key="f4"),
    Command("power-off", "Turn this machine off", _nothing, key="f10"),
)


async def _chat(person: Person) -> None:
    await person.send("Are lists in Python ordered?")
    await person.sees("cheap at their end", "I am ready")
    person.app.chat.draft.put("And what is\nthe fastest way to")


async def _contrast(person: Person) -> None:
    await _chat(person)
    await person.press("ctrl+t")


async def _menu(person: Person) -> None:
    await _chat(person)
    await person.press("f2")
    await person.sees("What I can do")


async def _help(person: Person) -> None:
    await person.press("f1")
    await person.sees("Keys and commands")


async def _chats(person: Person) -> None:
    await person.press("f3")
    await person.sees("Our conversations")


async def _ask_name(person: Person) -> None:
    await _chat(person)
    person.app.action_command("name")
    await person.sees("Name:")


async def _key(person: Person) -> None:
    person.app.action_command("recovery-key")
    await person.sees("I keep no copy")


SCENES: dict[str, tuple[tuple[int, int], Callable[[Person], Awaitable[None]]]] = {
    "chat": ((80, 25), _chat),
    "chat-wide": ((160, 50), _chat),
    "contrast": ((80, 25), _contrast),
    "menu": ((80, 25), _menu),
    "help": ((80, 25), _help),
    "chats": ((80, 25), _chats),
    "ask": ((80, 25), _ask_name),
    "recovery-key": ((80, 25), _key),
}


async def picture(name: str) -> str:
    size, play = SCENES[name]
    async with Scene([Answer([ANSWER])], COMMANDS, size=size).played() as person:
        await play(person)
        await person.pilot.pause()
        svg = person.app.export_screenshot(title="Claudine")
        assert isinstance(svg, str)
        # The fonts that rich would have fetched from elsewhere.
        return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)


@pytest.mark.parametrize("name", SCENES)
async def test_it_looks_as_it_was_reviewed(name: str) -> None:
    assert await picture(name) == (LOOKS / f"{name}.svg").read_text(), (
        "if this is meant: python tests/client/screen/test_looks.py"
    )


def test_the_pictures_are_small_and_ask_for_nothing() -> None:
    for path in LOOKS.iterdir():
        assert path.stat().st_size < LARGEST_BYTES
        assert "url(http" not in path.read_text()


if __name__ == "__main__":
    for name in SCENES:
        (LOOKS / f"{name}.svg").write_text(asyncio.run(picture(name)))
