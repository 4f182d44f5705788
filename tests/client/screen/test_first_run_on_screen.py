"""The first run by keyboard, on what passes for the machine's own screen."""

import json
from pathlib import Path

from claudine.voice import settings as voice
from tests.client.conftest import COMMAND, ENV, disguise
from tests.support.fake_runtime import Answer, FakeRuntime
from tests.support.fake_state import FakeState
from tests.support.screen import Screen

SETTINGS = {"keyboard": "de", "time_zone": "Europe/Berlin"}


def start(tmp_path: Path, state: Path, *more: str) -> Screen:
    env = {**ENV, "HOME": str(tmp_path), "STATE_DIRECTORY": str(state)}
    env["PYTHONPATH"] += f":{disguise(tmp_path, 'tty1')}"
    sockets = ["--socket", str(tmp_path / "s"), "chat", "--stay", "--state-socket", str(tmp_path / "control")]
    return Screen([*COMMAND, *sockets, *more], env, columns=80)


def test_it_comes_by_itself_and_only_once(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "settings.json").write_text(json.dumps(SETTINGS))
    service = FakeState(tmp_path / "control", recovery_key="confirmed")
    with service, FakeRuntime(tmp_path / "s", [Answer(["Paris."])]) as runtime:
        with start(tmp_path, state) as screen:
            screen.wait_for("Its name")
            screen.settle()
            screen.type("-attic")
            screen.wait_for("-attic")
            screen.type("\r")
            screen.wait_for("Hand me one small thing")
            screen.settle()
            screen.type("\r")
            screen.wait_for("Paris.")
            screen.wait_for("What the kernel says of my")
        assert runtime.texts(0) == [voice.TINY_QUESTIONS[0]]
        assert runtime.requests[0]["temperature"] == 0.0, "the first answer is the likeliest one"
        with start(tmp_path, state) as screen:
            screen.wait_for("Paris.")
            screen.wait_for("I am ready")
            assert "Hand me" not in screen.shown
    assert json.loads((state / "settings.json").read_text())["device_name"].endswith("attic")


def test_it_comes_by_itself_in_lines_too(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "settings.json").write_text(json.dumps(SETTINGS))
    service = FakeState(tmp_path / "control", recovery_key="confirmed")
    with service, FakeRuntime(tmp_path / "s", [Answer(["Paris."])]) as runtime:
        with start(tmp_path, state, "--plain") as screen:
            screen.wait_for(voice.NAME_PROMPT)
            screen.type("\x15attic\r")
            screen.wait_for("Hand me one small thing")
            screen.wait_for("(Enter takes *")
            screen.type("\r")
            screen.wait_for("Claudine: Paris.")
            screen.wait_for("What the kernel says of my")
            screen.wait_for("You: ")
        assert runtime.texts(0) == [voice.TINY_QUESTIONS[0]]
        with start(tmp_path, state, "--plain") as screen:
            screen.wait_for("You: ")
            assert "Hand me" not in screen.output
