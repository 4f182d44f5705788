"""The terminal of flat text, whatever it is: a narrow one, one that goes away, a pipe, closed streams, odd bytes."""

import re
import subprocess
from pathlib import Path

import pytest

from claudine.voice import GREETING
from tests.client.conftest import COMMAND, ENV, StartScreen
from tests.support.fake_runtime import Answer, FakeRuntime
from tests.support.screen import Screen

PROMPT = "You: "
# What readline itself sends: switching bracketed paste on and off.
PASTE_MODE = re.compile(r"\x1b\[\?2004[hl]")


def test_a_terminal_that_goes_away_ends_it(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket, [Answer(["on and "], "hang")]) as server:
        screen = start_screen(["chat", "--stay"])
        screen.wait_for(PROMPT)
        screen.type("For ever?\r")
        screen.wait_for("on and ")
        screen.hang_up()
        assert server.client_left.wait(5)


def test_nothing_is_written_to_the_owners_folder(socket: Path, tmp_path: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket):
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("Where?\r")
        screen.wait_for("Claudine: Paris.")
        screen.wait_for(PROMPT)
        screen.type("\x04")
        assert screen.wait_for_end() == 0
        assert list(tmp_path.iterdir()) == [socket]


def test_a_control_sequence_in_an_answer_does_not_reach_the_terminal(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket, [Answer(["\x1b]0;owned\x07", "\x1b", "[2J\x9b31m", "red\r\x08"])]):
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("Paint.\r")
        answer = screen.wait_for(PROMPT)
        assert "Claudine: ]0;owned[2J31mred\r\n" in answer
        assert "\x1b" not in PASTE_MODE.sub("", screen.output)
        assert "\x9b" not in screen.output


def test_bytes_that_are_no_text_are_replaced(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket) as server:
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type(b"Where is Z\xfcrich? Z\xc3\xbcrich!\r")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(0)[0].endswith("ürich!")
        assert "Traceback" not in screen.output


def test_umlauts_are_one_key_each_without_a_locale_too(socket: Path, tmp_path: Path) -> None:
    # What "python3 -I" makes of an empty environment.
    env = {**ENV, "HOME": str(tmp_path), "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    with FakeRuntime(socket) as server, Screen([*COMMAND, "--plain", "--socket", str(socket)], env) as screen:
        screen.wait_for(PROMPT)
        screen.settle()
        screen.type("grün\x7f\x7fün?\r")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(0) == ["grün?"]
        assert "\\303" not in screen.output


def test_the_status_fits_a_narrow_terminal(socket: Path, tmp_path: Path) -> None:
    with Screen([*COMMAND, "--socket", str(socket)], {**ENV, "HOME": str(tmp_path)}, columns=20) as screen:
        assert screen.wait_for("\rI am waiting for my").endswith("\rI am waiting for my")
        assert "runtime" not in screen.output


def test_a_pipe_gets_a_whole_transcript(socket: Path) -> None:
    with FakeRuntime(socket, [Answer(["Paris."]), Answer(["Half "], "close"), Answer(["Rome."])], loads=1):
        done = subprocess.run(
            [*COMMAND, "--socket", str(socket)],
            input=b"\nFrance?\nSpain? \xff\nItaly?",
            capture_output=True,
            env=ENV,
            timeout=10,
        )
    assert (done.returncode, done.stderr) == (0, b"")
    transcript = done.stdout.decode().removeprefix(GREETING).replace("\n\n", "\n").splitlines()
    assert transcript[1].startswith("[My model is tiny.gguf, ready") or transcript[2].startswith("[My model is tiny")
    assert [line for line in transcript if line.startswith(("You: ", "Claudine: ", "[My runtime"))] == [
        "You: ",
        "You: France?",
        "Claudine: Paris.",
        "You: Spain? \ufffd",
        "Claudine: Half ",
        "[My runtime broke off in the middle of this answer.]",
        "You: Italy?",
        "Claudine: Rome.",
    ]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "> /dev/full"])
def test_closed_or_full_standard_streams_are_no_traceback(socket: Path, tmp_path: Path, closed: str) -> None:
    command = " ".join([*COMMAND, "--socket", str(socket), closed])
    errors = tmp_path / "errors"
    with FakeRuntime(socket), errors.open("wb") as stderr:
        done = subprocess.run(["sh", "-c", command], env=ENV, stdin=subprocess.DEVNULL, stderr=stderr, timeout=10)
    assert done.returncode == 0
    assert errors.read_bytes() == b""
