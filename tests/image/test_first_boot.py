"""A new machine's first start, as its owner sees it: a greeting, and a recovery key that has to be confirmed."""

import re

import pytest

from builder.vm.machine import Machine
from builder.vm.shell import PORT
from claudine import voice
from tests.image.screen import TIMEOUT_S, flat, wait_for_text
from tests.support.qr_decoder import decode
from tests.support.recovery_key import KEY, key_on_screen

QUIET_MODULES = 3
ENROLLED = "cryptsetup luksDump --dump-json-metadata /dev/disk/claudine-state"


def test_the_keys_are_enrolled_and_the_machine_restarts_once(machine: Machine) -> None:
    assert machine.watch.resets == 1


def test_the_screen_greets_and_shows_nothing_else(machine: Machine) -> None:
    assert wait_for_text(machine, voice.GREETING).startswith(flat(voice.GREETING))


def test_the_serial_line_greets(machine: Machine) -> None:
    log = machine.bench.files.serial_log

    def look() -> bool | None:
        return flat(voice.GREETING) in flat(log.read_text(errors="replace")) or None

    machine.watch.until("the greeting on the serial line", look, timeout_s=TIMEOUT_S)


def test_a_recovery_key_is_offered_and_none_exists_before_it_is_wanted(machine: Machine) -> None:
    wait_for_text(machine, voice.KEY_OFFER_PROMPT)
    assert "systemd-recovery" not in machine.succeed(ENROLLED)


@pytest.fixture(scope="module")
def key(machine: Machine) -> str:
    """The recovery key, read off the screen after the owner has pressed Enter."""
    machine.send_keys("\n")
    wait_for_text(machine, voice.KEY_PROMPT)
    return key_on_screen(machine.console_text())


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
    machine.send_keys(f"{key.rpartition('-')[2]}\n")
    wait_for_text(machine, voice.KEY_CONFIRMED)
    assert key[:8] not in machine.console_text()
    # The letters of its first group, in whatever way a file may hold the key; but for this very command.
    looked = f"grep -rlF {key[:8]} /var /run /tmp --exclude-dir={PORT}"
    assert machine.run(looked, timeout_s=120).stdout == ""
    assert key[:8] not in machine.succeed("journalctl --boot --no-pager --output=cat", timeout_s=120)
