"""/keyboard, /time-zone and /name: chosen, in force at once, and taken back."""

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from claudine.commands import Session
from claudine.commands import settings as commands
from claudine.record import Record
from claudine.runtime import Runtime
from claudine.state import StateService
from claudine.talk import Talk
from claudine.voice import settings as voice
from tests.support.fake_state import FakeState
from tests.support.scripted_face import Script, ScriptedFace

pytestmark = pytest.mark.usefixtures("lists")

Run = Callable[..., ScriptedFace]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FakeState]:
    with FakeState(tmp_path / "control") as service:
        yield service


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(name: str, script: Script, *, virtual: bool = True) -> ScriptedFace:
        face = ScriptedFace(script, virtual=virtual)
        runtime: Future[Runtime] = Future()
        talk = Talk(runtime, Record(None, "tty1", face.remark))
        command = next(command for command in commands.COMMANDS if command.name == name)
        command.run(Session(talk, face, StateService(str(tmp_path / "control"))), "")
        assert face.finished()
        return face

    return run


def stored(tmp_path: Path) -> object:
    path = tmp_path / "state" / "settings.json"
    return json.loads(path.read_text()) if path.exists() else {}


def test_a_keyboard_is_chosen_by_its_title_and_tried(run: Run, service: FakeState, tmp_path: Path) -> None:
    face = run("keyboard", ["German", "German (no dead keys)", "zyäöü"])
    assert stored(tmp_path) == {"keyboard": "de(nodeadkeys)"}
    assert service.requests == ["status", "apply-settings"]
    assert face.said == "The keyboard is German (no dead keys)."
    assert "Press Enter to keep it" in face.asked[-1].replace("then press", "Press")


def test_the_layouts_of_most_people_come_first(run: Run, service: FakeState) -> None:
    face = run("keyboard", [None])
    titles = [option.title for option in face.offered[0]]
    assert titles[:3] == ["English (US)", "French", "German"]
    assert [option.key for option in face.offered[0]][:3] == ["us", "fr", "de"]
    assert "A user-defined custom Layout" not in titles


def test_a_keyboard_that_is_not_liked_is_taken_back(run: Run, service: FakeState, tmp_path: Path) -> None:
    run("keyboard", ["French", "abc"])
    face = run("keyboard", ["German", "", None])
    assert stored(tmp_path) == {"keyboard": "fr"}
    assert service.requests[-2:] == ["apply-settings", "apply-settings"]
    assert face.said == voice.KEYBOARD_BACK


def test_the_first_keyboard_comes_back_too(run: Run, service: FakeState, tmp_path: Path) -> None:
    run("keyboard", ["French", None])
    assert stored(tmp_path) == {"keyboard": "us"}


def test_enter_keeps_what_there_is(run: Run, service: FakeState, tmp_path: Path) -> None:
    run("keyboard", ["", ""])
    assert (stored(tmp_path), service.requests) == ({}, ["status"])
    run("keyboard", ["German", "German (Dvorak)", ""])
    run("keyboard", ["", ""])
    assert stored(tmp_path) == {"keyboard": "de(dvorak)"}


def test_a_keyboard_is_not_tried_on_a_line_that_has_another(run: Run, service: FakeState, tmp_path: Path) -> None:
    run("keyboard", ["French"], virtual=False)
    assert stored(tmp_path) == {"keyboard": "fr"}


@pytest.mark.parametrize("script", [[None], ["German", None, None]])
def test_going_back_changes_nothing(run: Run, service: FakeState, tmp_path: Path, script: list[str | None]) -> None:
    run("keyboard", script)
    assert stored(tmp_path) == {}
    assert service.requests == ["status"]


def test_going_back_from_the_kinds_leads_to_the_layouts(run: Run, service: FakeState, tmp_path: Path) -> None:
    run("keyboard", ["German", None, "French", ""])
    assert stored(tmp_path) == {"keyboard": "fr"}


def test_a_time_zone_is_found_by_its_place_and_its_country(run: Run, service: FakeState, tmp_path: Path) -> None:
    face = run("time-zone", ["Europe/Oslo"])
    assert stored(tmp_path) == {"time_zone": "Europe/Oslo"}
    assert [(option.title, option.note) for option in face.offered[0]] == [
        ("UTC", voice.UTC_NOTE),
        ("America/Argentina/Buenos Aires", "Argentina, Buenos Aires (BA, CF)"),
        ("Europe/Berlin", "Germany, most of Germany"),
        ("Europe/Oslo", "Norway"),
    ]
    assert time.strftime("%Y") in face.said


def test_a_name_is_asked_for_until_it_is_one(run: Run, service: FakeState, tmp_path: Path) -> None:
    face = run("name", ["my desk", "-", "x" * 64, "../attic", "attic.local", " attic "])
    assert stored(tmp_path) == {"device_name": "attic"}
    assert face.asked[-1].startswith(voice.NAME_WRONG)
    assert face.said == "This machine is called attic."


def test_the_name_that_it_has_is_proposed(
    run: Run, service: FakeState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "uname", lambda: type("Uname", (), {"nodename": "claudine"}))
    assert "This machine is called claudine." in run("name", [""]).said
    assert stored(tmp_path) == {}
    run("name", ["attic"])
    run("name", [""])
    assert stored(tmp_path) == {"device_name": "attic"}


def test_one_setting_leaves_the_others(run: Run, service: FakeState, tmp_path: Path) -> None:
    run("name", ["attic"])
    run("time-zone", ["Europe/Oslo"])
    assert stored(tmp_path) == {"device_name": "attic", "time_zone": "Europe/Oslo"}
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["settings.json"]
    assert (tmp_path / "state" / "settings.json").stat().st_mode & 0o777 == 0o600


def test_what_is_not_put_in_force_is_not_stored(run: Run, tmp_path: Path) -> None:
    with FakeState(tmp_path / "control", failing="apply-settings"):
        face = run("name", ["attic"])
    assert stored(tmp_path) == {}
    assert face.said == "The TPM is busy [31mtoday."


def test_a_disk_that_takes_nothing_is_said(run: Run, service: FakeState, tmp_path: Path) -> None:
    (tmp_path / "state").rmdir()
    face = run("name", ["attic"])
    assert face.said == "I cannot store that (No such file or directory), so nothing is changed."


@pytest.mark.parametrize("name", ["keyboard", "time-zone", "name"])
def test_on_a_desk_there_is_a_sentence_and_no_question(run: Run, name: str) -> None:
    face = run(name, [])
    assert face.said.startswith("Nobody looks after an encrypted disk here")


def test_a_broken_file_is_as_good_as_none(run: Run, service: FakeState, tmp_path: Path) -> None:
    for content in ("{", "[]", '{"keyboard": 7, "time_zone": "UTC"}'):
        (tmp_path / "state" / "settings.json").write_text(content)
        run("name", ["attic"])
    assert stored(tmp_path) == {"device_name": "attic", "time_zone": "UTC"}
