"""Turning the machine off takes a person who chooses it."""

from concurrent.futures import Future
from pathlib import Path

import pytest

from claudine.commands import Session
from claudine.commands.power import COMMANDS
from claudine.record import Record
from claudine.state import StateService
from claudine.store import FILE, Store
from claudine.talk import Talk
from claudine.voice import power as voice
from tests.support.fake_state import FakeState
from tests.support.scripted_face import ScriptedFace


def run(name: str, socket: Path, face: ScriptedFace, *, private: bool = False, store: Store | None = None) -> None:
    record = Record(store, "tty1", face.remark)
    record.begin(private=private)
    here = Session(Talk(Future(), record), face, StateService(str(socket)))
    (command,) = (command for command in COMMANDS if command.name == name)
    command.run(here, "")


@pytest.mark.parametrize(
    ("name", "chosen", "request_"),
    [
        ("power-off", "", "power-off"),
        ("power-off", "Restart", "restart"),
        ("restart", "", "restart"),
        ("restart", "Turn off", "power-off"),
    ],
)
def test_what_is_chosen_is_done(socket: Path, name: str, chosen: str, request_: str) -> None:
    face = ScriptedFace([chosen])
    with FakeState(socket) as service:
        run(name, socket, face)
    assert service.requests == ["status", request_]
    assert face.remarks[-1].startswith("This machine is ")


@pytest.mark.parametrize("chosen", [None, "Stay"])
@pytest.mark.parametrize("name", ["power-off", "restart"])
def test_who_stays_stays(socket: Path, name: str, chosen: str | None) -> None:
    face = ScriptedFace([chosen])
    with FakeState(socket) as service:
        run(name, socket, face)
    assert service.requests == ["status"]
    assert face.remarks == []


def test_a_desk_is_not_turned_off(socket: Path) -> None:
    face = ScriptedFace()
    run("power-off", socket, face)
    assert face.remarks == [
        "I am a program on somebody's desk here, not a machine of my own: there is nothing that I could turn off."
    ]


def test_a_refusal_is_told(socket: Path) -> None:
    face = ScriptedFace([""])
    with FakeState(socket, failing="power-off"):
        run("power-off", socket, face)
    assert face.remarks == ["The TPM is busy [31mtoday."]


def test_a_disk_that_cannot_be_looked_at_does_not_keep_it_on(socket: Path) -> None:
    face = ScriptedFace([""])
    with FakeState(socket, failing="status") as service:
        run("power-off", socket, face)
    assert service.requests == ["status", "power-off"]


def test_it_is_said_whether_the_conversation_stays(socket: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / FILE).write_text("This is no database.")
    for store, private, about in (
        (Store(str(tmp_path)), False, voice.POWER_ABOUT),
        (Store(str(tmp_path)), True, voice.PRIVATE_GOES),
        (Store(str(damaged)), False, voice.UNSAVED_GOES),
        (None, False, voice.UNSAVED_GOES),
    ):
        face = ScriptedFace([None])
        with FakeState(socket):
            run("power-off", socket, face, private=private, store=store)
        assert face.about == about
