"""The recovery key's ceremony, the factory reset and the disk, typed on a terminal."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import claudine
from claudine import voice
from claudine.store import FILE
from tests.client.conftest import StartScreen
from tests.support.fake_runtime import FakeRuntime
from tests.support.fake_state import FakeState
from tests.support.qr_decoder import decode
from tests.support.screen import Screen

PROMPT = "You: "
CLEARED = "\x1b[H\x1b[2J\x1b[3J"
# Colours, and what readline switches on and off around a line.
INVISIBLE = re.compile(r"\x1b\[[0-9;?]*[mhl]")

Start = Callable[..., Screen]


@pytest.fixture
def control(tmp_path: Path) -> Path:
    return tmp_path / "control"


@pytest.fixture
def start(start_screen: StartScreen, control: Path, tmp_path: Path) -> Start:
    asked = tmp_path / "asked"
    asked.mkdir()
    # All other questions of the first run.
    (asked / "first-run.json").write_text(
        json.dumps(dict.fromkeys(("keyboard", "time_zone", "device_name", "experiment"), "done"))
    )

    def start(tty: str = "tty1", *more: str, **env: str) -> Screen:
        arguments = ["chat", "--store", str(tmp_path), "--state-socket", str(control), *more]
        return start_screen(arguments, tty=tty, STATE_DIRECTORY=str(asked), **env)

    return start


def to_the_key(screen: Screen) -> list[str]:
    """Press Enter at the offer, and return the rows of the screen that shows the key."""
    screen.wait_for(voice.KEY_OFFER_PROMPT)
    screen.type("\r")
    return key_screen(screen)


def key_screen(screen: Screen) -> list[str]:
    screen.wait_for(CLEARED)
    # Wiped after the last try, and before the next one.
    shown = screen.wait_for(voice.KEY_PROMPT).rpartition(CLEARED)[2]
    return INVISIBLE.sub("", shown).replace("\r", "").split("\n")


def ending(key: str) -> str:
    return key[-8:]


def test_a_key_is_shown_confirmed_and_gone(start: Start, socket: Path, control: Path, tmp_path: Path) -> None:
    with FakeState(control) as service, FakeRuntime(socket) as runtime:
        screen = start("tty1", "--stay")
        offer = screen.wait_for(voice.KEY_OFFER_PROMPT).replace("\r", "")
        assert offer.index(voice.GREETING) < offer.index(voice.KEY_OFFER)
        assert service.requests == ["status"]
        screen.type("\r")
        rows = key_screen(screen)
        key = service.keys[0]
        assert "".join(rows[:2]).replace(" ", "") == key
        assert decode(rows[2:-2], quiet=3) == key
        # With a cursor behind nine letters, on a serial terminal's 24 rows.
        assert len(rows) <= 24
        assert max(map(len, rows)) + 9 <= 80
        last = ending(key)
        screen.type(f"{last[:4].upper()} {last[4:]}-\r")
        screen.wait_for(CLEARED)
        screen.wait_for(f"[{voice.KEY_CONFIRMED}]")
        assert service.requests == ["status", "new-recovery-key", "confirm-recovery-key"]
        screen.wait_for("Hello, I am Claudine.")
        screen.wait_for(PROMPT)
        screen.type("\x1b[A\x1b[AWhere?\r")
        screen.wait_for("Claudine: Paris.")
        screen.wait_for(PROMPT)
        assert runtime.texts(0) == ["Where?"]
        left = screen.output[screen.output.rindex(CLEARED) :]
        assert not [group for group in key.split("-") if group in left.lower()]
        stored = b"".join(path.read_bytes() for path in tmp_path.glob(f"{FILE}*"))
        assert b"Where?" in stored
        assert not [group for group in key.split("-") if group.encode() in stored.lower()]


def test_it_comes_before_the_model_s_part_is_loaded(start: Start, control: Path, tmp_path: Path) -> None:
    (tmp_path / "httpx.py").write_text("import time\ntime.sleep(60)\n")
    with FakeState(control):
        screen = start("tty1", "--stay", PYTHONPATH=f"{tmp_path}:{Path(claudine.__file__).parents[1]}")
        to_the_key(screen)


def test_wrong_letters_are_asked_for_again_and_the_key_stays(start: Start, control: Path) -> None:
    with FakeState(control) as service:
        screen = start("tty1", "--stay")
        first = to_the_key(screen)
        for wrong in ("", "hello", service.keys[0], service.keys[0][:8]):
            screen.type(f"{wrong}\r")
            again = key_screen(screen)
            assert again[:-2] == first[:-2]
            assert again[-2] == voice.KEY_WRONG
            assert len(again) == len(first)
        screen.type(ending(service.keys[0]) + "\r")
        screen.wait_for(voice.KEY_CONFIRMED)
    assert service.requests == ["status", "new-recovery-key", "confirm-recovery-key"]


@pytest.mark.parametrize("keys", ["Later\r", "\x03", "\x04"])
def test_it_can_be_put_off_before_a_key_is_made(start: Start, socket: Path, control: Path, keys: str) -> None:
    with FakeState(control) as service, FakeRuntime(socket):
        screen = start("tty1", "--stay")
        screen.wait_for(voice.KEY_OFFER_PROMPT)
        screen.type("what?\r")
        screen.wait_for(voice.KEY_OFFER_PROMPT)
        screen.settle()
        screen.type(keys)
        screen.wait_for(f"[{voice.KEY_POSTPONED}]")
        screen.wait_for(PROMPT)
    assert service.requests == ["status"]


@pytest.mark.parametrize("keys", ["later\r", "\x03", "\x04"])
def test_a_key_that_is_put_off_is_gone(start: Start, socket: Path, control: Path, keys: str) -> None:
    with FakeState(control) as service, FakeRuntime(socket):
        screen = start("tty1", "--stay")
        to_the_key(screen)
        screen.settle()
        screen.type(keys)
        screen.wait_for(CLEARED)
        screen.wait_for(f"[{voice.KEY_UNCONFIRMED}]")
        screen.wait_for(PROMPT)
        assert service.keys[0][:8] not in screen.output[screen.output.rindex(CLEARED) :]
    assert service.requests == ["status", "new-recovery-key"]


def test_a_key_that_nobody_confirmed_is_replaced(start: Start, control: Path) -> None:
    with FakeState(control, recovery_key="unconfirmed") as service:
        screen = start("tty1", "--stay")
        assert "it replaces any earlier one" in screen.wait_for(voice.KEY_OFFER_PROMPT)
        screen.type("\r")
        key_screen(screen)
    assert len(service.keys) == 1


@pytest.mark.parametrize(
    ("service", "tty", "more", "said"),
    [
        ({"recovery_key": "confirmed"}, "tty1", ["--stay"], ""),
        ({"unlock": "passphrase"}, "tty1", ["--stay"], ""),
        ({}, "tty1", [], ""),
        ({}, "ttyS0", ["--stay"], f"[{voice.KEY_WAITS}]"),
        ({}, "pts/7", ["--stay"], f"[{voice.KEY_WAITS}]"),
        ({"recovery_key": "confirmed", "free_bytes": 31 * 1024**2}, "tty1", ["--stay"], f"[{voice.DISK_ALMOST_FULL}]"),
        ({"failing": "status"}, "tty1", ["--stay"], "[The TPM is busy [31mtoday.]"),
    ],
)
def test_only_an_appliance_s_screen_that_needs_a_key_asks(
    start: Start, socket: Path, control: Path, service: dict[str, str], tty: str, more: list[str], said: str
) -> None:
    with FakeState(control, **service), FakeRuntime(socket):  # type: ignore[arg-type]
        screen = start(tty, *more)
        screen.wait_for(said)
        screen.wait_for(PROMPT)
    remarks = [line for line in screen.output.split("\r\n") if "[" in line and "My model is" not in line]
    assert [INVISIBLE.sub("", line).split("\r")[-1] for line in remarks] == ([said] if said else [])


def test_without_a_service_there_is_no_word_of_it(start: Start, socket: Path) -> None:
    with FakeRuntime(socket):
        screen = start("tty1", "--stay")
        screen.wait_for(PROMPT)
        assert "recovery" not in screen.output
        for command in ("/recovery-key", "/reset"):
            screen.type(f"{command}\r")
            screen.wait_for("[Nobody looks after an encrypted disk here")
            screen.wait_for(PROMPT)


def test_a_service_that_fails_half_way_leaves_no_key_on_the_screen(start: Start, socket: Path, control: Path) -> None:
    with FakeRuntime(socket):
        with FakeState(control, failing="new-recovery-key"):
            screen = start("tty1", "--stay")
            screen.wait_for(voice.KEY_OFFER_PROMPT)
            screen.type("\r")
            screen.wait_for("[The TPM is busy [31mtoday.]")
            screen.wait_for(PROMPT)
        with FakeState(control, failing="confirm-recovery-key") as service:
            screen = start("tty1", "--stay")
            to_the_key(screen)
            screen.type(ending(service.keys[0]) + "\r")
            screen.wait_for(CLEARED)
            screen.wait_for("[The TPM is busy [31mtoday.]")
            screen.wait_for(f"[{voice.KEY_UNCONFIRMED}]")
            screen.wait_for(PROMPT)
        with FakeState(control) as service:
            screen = start("tty1", "--stay")
            to_the_key(screen)
        screen.type(ending(service.keys[0]) + "\r")
        screen.wait_for(CLEARED)
        screen.wait_for("[Nobody looks after an encrypted disk here")
        screen.wait_for(PROMPT)
    for group in service.keys[0].split("-"):
        assert group not in screen.output[screen.output.rindex(CLEARED) :]


def test_a_new_key_can_be_had_on_any_terminal(start: Start, socket: Path, control: Path) -> None:
    with FakeState(control, recovery_key="confirmed") as service, FakeRuntime(socket):
        screen = start("ttyS0", "--stay", TERM="vt220")
        screen.wait_for(PROMPT)
        screen.type("/recovery-key\r")
        assert "every earlier one stops working" in screen.wait_for(voice.KEY_OFFER_PROMPT)
        screen.type("\r")
        rows = key_screen(screen)
        assert decode(rows[2:-2], quiet=3) == service.keys[0]
        screen.type(ending(service.keys[0]) + "\r")
        screen.wait_for(f"[{voice.KEY_CONFIRMED}]")
        screen.wait_for(PROMPT)
    assert service.recovery_key == "confirmed"


def test_a_terminal_that_cannot_be_cleared_is_said_before_the_key_is_made(
    start: Start, socket: Path, control: Path
) -> None:
    with FakeState(control) as service, FakeRuntime(socket):
        screen = start("pts/0", TERM="dumb")
        screen.wait_for(PROMPT)
        screen.type("/recovery-key\r")
        screen.wait_for(f"[{voice.KEY_STAYS}]")
        screen.wait_for(voice.KEY_OFFER_PROMPT)
        assert service.keys == []
        screen.type("\r")
        screen.wait_for(voice.KEY_PROMPT)
        assert "\x1b" not in INVISIBLE.sub("", screen.output)


def test_a_reset_needs_the_exact_words(start: Start, socket: Path, control: Path) -> None:
    with FakeState(control, recovery_key="confirmed") as service, FakeRuntime(socket):
        screen = start("tty1", "--stay")
        for words in ("yes\r", "\r", "erase\r", "Erase everything\r", "erase everything!\r", "\x03", "\x04"):
            screen.wait_for(PROMPT)
            screen.type("/reset\r")
            screen.wait_for(voice.RESET_PROMPT)
            screen.settle()
            screen.type(words)
            screen.wait_for(f"[{voice.NOTHING_ERASED}]")
        assert "factory-reset" not in service.requests
        screen.wait_for(PROMPT)
        screen.type("/reset\r")
        screen.wait_for(voice.RESET_PROMPT)
        screen.type("erase everything\r")
        screen.wait_for(f"[{voice.RESET_DONE}]")
        assert service.requests[-1] == "factory-reset"


def test_no_answer_to_a_question_of_hers_comes_back_with_the_arrow_key(
    start: Start, socket: Path, control: Path
) -> None:
    with FakeState(control, recovery_key="confirmed"), FakeRuntime(socket) as runtime:
        screen = start("tty1", "--stay")
        screen.wait_for(PROMPT)
        screen.type("Where?\r")
        screen.wait_for("Paris.")
        screen.wait_for(PROMPT)
        screen.type("/reset\r")
        screen.wait_for(voice.RESET_PROMPT)
        screen.type("my secret\r")
        screen.wait_for(PROMPT)
        screen.type("\x1b[A\x1b[A!\r")
        screen.wait_for("Paris.")
        assert runtime.texts(1) == ["Where?", "Paris.", "Where?!"]
