"""Lists, pages and questions in flat text, on a terminal."""

import re
from itertools import repeat
from pathlib import Path

import pytest

from claudine.voice import plain as voice
from tests.client.conftest import StartScreen
from tests.support.fake_models import RUNTIME, FakeModels, usual_answers
from tests.support.fake_runtime import MODEL, Answer, FakeRuntime
from tests.support.screen import Screen

PROMPT = "You: "


def said(screen: Screen, *texts: str) -> None:
    for text in texts:
        screen.wait_for(PROMPT)
        screen.type(f"{text}\r")
        screen.wait_for("Claudine: ")
    screen.wait_for(PROMPT)


def test_a_list_is_numbered_and_searched_by_typing(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket, [Answer(["Paris."]), Answer(["Rome."]), Answer(["Bern."])]):
        screen = start_screen()
        said(screen, "France?", "Italy?")
        screen.type("/back\r")
        screen.wait_for(
            "*  1  Claudine: Rome.\r\n   2  You: Italy?\r\n   3  Claudine: Paris.\r\n   4  You: France?\r\n"
        )
        screen.wait_for(voice.CHOOSE)
        screen.type("zurich\r")
        screen.wait_for(f"[{voice.NOTHING_FOUND}]")
        screen.wait_for(voice.CHOOSE)
        screen.type("FRAN you\r")
        assert "Italy" not in screen.wait_for("*  4  You: France?\r\n")
        screen.wait_for(voice.CHOOSE)
        screen.type("\r")
        screen.wait_for("1  Change it")
        screen.wait_for(voice.CHOOSE)
        screen.type("1\r")
        screen.wait_for("You: France?")
        screen.type("\x7f, then?\r")
        screen.wait_for("Claudine: Bern.")


def test_of_a_long_list_the_rest_is_found_by_words(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket):
        screen = start_screen()
        said(screen, *(f"Question {number}" for number in range(9)))
        screen.type("/back\r")
        screen.wait_for(" 15  Claudine: Paris.\r\n")
        screen.wait_for(voice.AND_MORE.format(count=3))
        screen.wait_for(voice.CHOOSE)
        screen.type("question 0\r")
        screen.wait_for("* 18  You: Question 0\r\n")


def test_a_list_is_left_without_a_choice(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket):
        screen = start_screen()
        said(screen, "Where?")
        for keys in ("\x03", "\x04"):
            screen.type("/back\r")
            screen.wait_for(voice.CHOOSE)
            screen.settle()
            screen.type(keys)
            screen.wait_for(PROMPT)
        for number in ("0", "99999999999999999999", "-1"):
            screen.type("/back\r")
            screen.wait_for(voice.CHOOSE)
            screen.type(f"{number}\r")
            screen.wait_for(f"[{voice.NOTHING_FOUND}]")
            screen.wait_for(voice.CHOOSE)
            screen.settle()
            screen.type("\x03")
            screen.wait_for(PROMPT)


def test_a_long_page_waits_at_each_screenful(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket):
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("/help\r")
        first = screen.wait_for(voice.MORE)
        assert first.count("\n") <= 25
        screen.settle()
        screen.type("\x03")
        screen.wait_for(PROMPT)
        assert "/reset" not in screen.output


def test_what_does_not_fit_in_a_column_goes_on_below_it(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket):
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("/help\r")
        screen.wait_for(voice.MORE)
        rows = re.split(r"\r*\n", screen.output)
    (start,) = [place for place, row in enumerate(rows) if row.startswith("  /pin ")]
    assert rows[start + 1].index("longer") == rows[start].index("Keep")


def test_the_earlier_lines_are_those_said_here_and_none_of_a_private_conversation_that_was_left(
    socket: Path, start_screen: StartScreen
) -> None:
    with FakeRuntime(socket) as server:
        screen = start_screen()
        said(screen, "Paris is what?")
        screen.type("/private\r")
        screen.wait_for("off the record")
        screen.wait_for("\r\n(off the record) ")
        said(screen, "Where?")
        screen.type("\x1b[A!\r")
        screen.wait_for("Claudine: ")
        assert server.texts(2)[-1] == "Where?!"
        screen.type("/new\r")
        screen.wait_for("[We start afresh.]")
        screen.wait_for(PROMPT)
        screen.type("\x1b[A\x1b[A\x1b[A!\r")
        screen.wait_for("Claudine: ")
        assert server.texts(3) == ["Paris is what?!"]


def test_what_takes_its_time_can_be_stopped(
    socket: Path, start_screen: StartScreen, tmp_path_factory: pytest.TempPathFactory
) -> None:
    machine = tmp_path_factory.mktemp("m")
    endless = usual_answers() | {
        "runtime": [RUNTIME | {"model": Path(MODEL).name}],
        "hash": repeat({"step": "hashing", "percent": 1}),
    }
    with FakeRuntime(socket), FakeModels(machine / "claudine-models/control.sock", endless):
        screen = start_screen(["chat", "--state-socket", str(machine / "claudine-state/control.sock")])
        said(screen, "Where?")
        screen.type("/receipt\r")
        screen.wait_for("I am reading my model")
        screen.type("\x03")
        screen.wait_for("[I stopped, and changed nothing.]")
        screen.wait_for(PROMPT)
