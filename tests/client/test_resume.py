"""A conversation that goes on after a restart, on a terminal."""

import subprocess
from pathlib import Path

import pytest

from claudine import voice
from claudine.record import Record
from claudine.store import FILE, Store
from claudine.text import last_rows
from claudine.voice import chat as chat_voice
from claudine.voice import chats as chats_voice
from tests.client.conftest import COMMAND, ENV, StartScreen
from tests.support.fake_runtime import Answer, FakeRuntime

PROMPT = "You: "


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store"
    path.mkdir()
    return path


def texts(store: Path) -> list[str]:
    record = Record(Store(str(store)), "tty1", print)
    record.resume()
    return [entry.text for entry in record.path]


def test_it_goes_on_and_shows_where_it_was(socket: Path, store: Path, start_screen: StartScreen) -> None:
    chat = ["chat", "--stay", "--store", str(store)]
    with FakeRuntime(socket, [Answer(["Paris."]), Answer(["Rome."]), Answer(["Bern."])]) as server:
        for question, answer in (("France?", "Paris."), ("Italy?", "Rome.")):
            screen = start_screen(chat, tty="tty1")
            if answer == "Rome.":
                screen.wait_for(f"[{voice.RESUMED}]\r\nYou: France?\r\nClaudine: Paris.\r\n")
            screen.wait_for(PROMPT)
            screen.type(f"{question}\r")
            screen.wait_for(f"Claudine: {answer}")
            screen.wait_for(PROMPT)
            screen.hang_up()
        other = start_screen(chat, tty="ttyS0")
        other.wait_for(PROMPT)
        other.type("Switzerland?\r")
        other.wait_for("Claudine: Bern.")
    assert server.texts(1) == ["France?", "Paris.", "Italy?"]
    assert server.texts(2) == ["Switzerland?"]


def test_after_new_nothing_is_resumed(socket: Path, store: Path, start_screen: StartScreen) -> None:
    chat = ["chat", "--store", str(store)]
    with FakeRuntime(socket):
        screen = start_screen(chat, tty="tty1")
        screen.wait_for(PROMPT)
        screen.type("Where?\r")
        screen.wait_for("Claudine: Paris.")
        screen.wait_for(PROMPT)
        screen.type("/new\r")
        screen.wait_for(f"[{chat_voice.AFRESH}]")
        screen = start_screen(chat, tty="tty1")
        screen.wait_for(PROMPT)
        assert "Paris" not in screen.output


def test_a_message_that_the_power_cut_off_is_back_on_the_line(
    socket: Path, store: Path, start_screen: StartScreen
) -> None:
    chat = ["chat", "--store", str(store)]
    with FakeRuntime(socket, [Answer(["Half an "], "hang"), Answer(["Paris."])]) as server:
        screen = start_screen(chat, tty="tty1")
        screen.wait_for(PROMPT)
        screen.type("Where\r")
        screen.wait_for("Half an")
        screen.hang_up()
        screen = start_screen(chat, tty="tty1")
        screen.wait_for(f"[{voice.UNANSWERED}]")
        screen.wait_for(PROMPT + "Where")
        screen.type("?\r")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(1) == ["Where?"]


def test_an_answer_that_was_stopped_is_stored_as_far_as_it_went(
    socket: Path, store: Path, start_screen: StartScreen
) -> None:
    with FakeRuntime(socket, [Answer(["One, two, "], "hang")]):
        screen = start_screen(["chat", "--store", str(store)], tty="tty1")
        screen.wait_for(PROMPT)
        screen.type("Count.\r")
        screen.wait_for("One, two, ")
        screen.type("\x03")
        screen.wait_for(f"[{voice.STOPPED}]")
        screen.wait_for(PROMPT)
    assert texts(store) == ["Count.", "One, two, "]


def test_a_store_that_goes_away_and_comes_back_loses_nothing(
    socket: Path, store: Path, start_screen: StartScreen
) -> None:
    with FakeRuntime(socket):
        screen = start_screen(["chat", "--stay", "--store", str(store)], tty="tty1")
        away = store.rename(store.with_name("away"))
        for _ in range(2):
            screen.wait_for(PROMPT)
            screen.type("Where?\r")
            screen.wait_for("Claudine: Paris.")
        screen.wait_for(PROMPT)
        assert screen.output.count("I cannot save what we say (No such file or directory)") == 1
        away.rename(store)
        screen.type("And now?\r")
        screen.wait_for(f"[{voice.SAVING_AGAIN}]")
        screen.wait_for("Claudine: Paris.")
        screen.wait_for(PROMPT)
        assert "Traceback" not in screen.output
    assert texts(store) == ["Where?", "Paris.", "Where?", "Paris.", "And now?", "Paris."]


def test_a_damaged_store_is_one_sentence_and_forgetting_mends_it(
    socket: Path, store: Path, start_screen: StartScreen
) -> None:
    (store / FILE).write_bytes(b"This is no database. " * 500)
    with FakeRuntime(socket) as server:
        screen = start_screen(["chat", "--store", str(store)], tty="tty1")
        screen.wait_for(f"[{voice.STORE_DAMAGED}]")
        for answer, remark in (("no", chats_voice.KEPT), ("\x03", chats_voice.KEPT), ("Yes", chats_voice.FORGOTTEN)):
            screen.wait_for(PROMPT)
            screen.type("Where?\r")
            screen.wait_for("Claudine: Paris.")
            screen.wait_for(PROMPT)
            screen.settle()
            screen.type("/forget\r")
            screen.wait_for(chats_voice.FORGET_PROMPT)
            screen.settle()
            screen.type(f"{answer}\r")
            screen.wait_for(f"[{remark}]")
        screen.wait_for(PROMPT)
        screen.type("\x1b[AWhere now?\r")
        screen.wait_for("Claudine: Paris.")
        screen.wait_for(PROMPT)
        assert server.texts(3) == ["Where now?"]
        assert screen.output.count(voice.STORE_DAMAGED) == 1
    assert len(texts(store)) == 2


@pytest.mark.parametrize("arguments", [["--stay"], ["--store", "/nonexistent"], []])
def test_a_missing_store_is_said_only_where_one_is_expected(
    socket: Path, start_screen: StartScreen, arguments: list[str]
) -> None:
    with FakeRuntime(socket):
        screen = start_screen(["chat", *arguments])
        screen.wait_for(PROMPT)
        assert ("I cannot save what we say" in screen.output) == bool(arguments)
        screen.type("/forget\r")
        screen.wait_for(chats_voice.FORGET_PROMPT if arguments else f"[{chats_voice.NOTHING_STORED}]")


def test_a_desk_uses_the_folder_of_its_service_if_it_may(socket: Path, store: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket):
        screen = start_screen([], STATE_DIRECTORY=str(store))
        screen.wait_for(PROMPT)
        screen.type("Where?\r")
        screen.wait_for("Claudine: Paris.")
        screen.wait_for(PROMPT)
    assert (store / FILE).exists()


def test_ask_and_a_pipe_store_nothing_and_get_no_question(socket: Path, store: Path) -> None:
    env = {**ENV, "STATE_DIRECTORY": str(store)}
    with FakeRuntime(socket):
        for arguments in (["ask", "Where?"], ["chat", "--store", str(store)]):
            done = subprocess.run(
                [*COMMAND, "--socket", str(socket), *arguments],
                input=b"Where?\n/forget\n/reset\n/recovery-key\nerase everything\n",
                capture_output=True,
                env=env,
                timeout=10,
            )
            assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().count(f"[{voice.NEEDS_A_PERSON}]") == 3
    assert list(store.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one", "one"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("1\n2\n3\n4", "[...]\n3\n4"),
        ("a long sentence that does not fit", "[...]\nthat does\nnot fit"),
        ("", ""),
    ],
)
def test_of_a_long_text_the_end_is_shown(text: str, shown: str) -> None:
    assert last_rows(text, rows=3, columns=10) == shown
