"""A new machine's first start, as its owner sees it: a few questions, a recovery key, and one small experiment."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from builder.vm.machine import Machine
from builder.vm.shell import PORT
from claudine import voice
from claudine.voice import settings
from tests.image.owner import confirm_recovery_key, see_recovery_key, watch_experiment
from tests.image.screen import GREETING, TIMEOUT_S, flat, wait_for_text
from tests.support.qr_decoder import decode
from tests.support.recovery_key import KEY

QUIET_MODULES = 3
ENROLLED = "cryptsetup luksDump --dump-json-metadata /dev/disk/claudine-state"


def test_the_keys_are_enrolled_and_the_machine_restarts_once(machine: Machine) -> None:
    assert machine.watch.resets == 1


def test_the_serial_line_greets(machine: Machine) -> None:
    log = machine.bench.files.serial_log

    def look() -> bool | None:
        return flat(voice.GREETING) in flat(log.read_text(errors="replace")) or None

    machine.watch.until("the greeting on the serial line", look, timeout_s=TIMEOUT_S)


def key_left_of_x(machine: Machine) -> str:
    """What the keyboard says there: z on a US one, y on a German one."""
    keys = machine.succeed("dumpkeys --console=/dev/tty1 --keys-only --separate-lines")
    [line] = [line for line in keys.splitlines() if line.startswith("plain") and " 44 =" in line]
    return line.split()[-1][-1]


def test_a_keyboard_can_be_tried_and_given_back(machine: Machine, picture: Callable[[str], None]) -> None:
    wait_for_text(machine, settings.KEYBOARD)
    picture("screen-first-run")
    machine.send_keys("german\n")
    wait_for_text(machine, settings.VARIANT)
    machine.send_keys("\n")
    wait_for_text(machine, settings.TRY_PROMPT)
    assert key_left_of_x(machine) == "y"
    machine.send_keys("\x1b")
    wait_for_text(machine, settings.ZONE)
    assert key_left_of_x(machine) == "z"


def test_the_time_zone_that_is_chosen_is_in_force_at_once(machine: Machine, host: Any) -> None:
    machine.send_keys("berlin\n")
    wait_for_text(machine, settings.NAME_PROMPT)
    assert host.check_output("date +%Z") in ("CET", "CEST")


def test_the_name_that_is_typed_is_the_machines_at_once(machine: Machine, host: Any) -> None:
    machine.send_keys("\b" * len("claudine") + "attic\n")
    wait_for_text(machine, voice.KEY_OFFER_PROMPT)
    assert host.check_output("uname -n") == "attic"


def test_a_recovery_key_is_offered_and_none_exists_before_it_is_wanted(machine: Machine) -> None:
    assert GREETING in wait_for_text(machine, voice.KEY_OFFER_PROMPT)
    assert "systemd-recovery" not in machine.succeed(ENROLLED)


@pytest.fixture(scope="module")
def key(machine: Machine) -> str:
    """The recovery key, read off the screen after the owner has pressed Enter."""
    return see_recovery_key(machine)


def test_it_is_on_the_screen_in_letters_and_for_a_camera(machine: Machine, key: str) -> None:
    assert re.fullmatch(KEY, key)
    rows = [line for line in machine.console_text().splitlines() if line and not line.strip("█▀▄ ")]
    # Blanks at the end of a line are light modules of the picture's border only, so none are lost.
    assert decode([row.ljust(max(map(len, rows))) for row in rows], QUIET_MODULES) == key


def test_it_opens_the_disk(machine: Machine, key: str) -> None:
    assert "systemd-recovery" in machine.succeed(ENROLLED)
    opens = f"printf %s {key} | cryptsetup open --test-passphrase --disable-external-tokens --key-file - "
    machine.succeed(f"{opens} /dev/disk/claudine-state", timeout_s=300)


def test_other_letters_do_not_confirm_it(machine: Machine, key: str) -> None:
    machine.send_keys("cccccccc\n")
    wait_for_text(machine, voice.KEY_WRONG)
    assert machine.run("test -e /var/lib/claudine-state/recovery-key-confirmed").returncode != 0


def test_its_last_letters_do_and_then_it_is_nowhere_any_more(machine: Machine, key: str) -> None:
    confirm_recovery_key(machine, key)
    assert key[:8] not in machine.console_text()
    # The letters of its first group, in whatever way a file may hold the key; but for this very command.
    looked = f"grep -rlF {key[:8]} /var /run /tmp --exclude-dir={PORT}"
    assert machine.run(looked, timeout_s=120).stdout == ""
    assert key[:8] not in machine.succeed("journalctl --boot --no-pager --output=cat", timeout_s=120)


def test_one_small_thing_runs_and_says_what_it_was(machine: Machine, picture: Callable[[str], None]) -> None:
    said = watch_experiment(machine)
    picture("screen")
    assert "Paris" in said
    assert "made in this machine. What the kernel says of my network: LOCAL: only lo, no route, 0 bytes sent" in said
