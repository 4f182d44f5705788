"""A restart: what was said and set is there again, and what was typed meanwhile has changed nothing."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from builder.vm.boot_times import boot_times
from builder.vm.machine import Machine
from claudine import voice
from claudine.voice import power
from claudine.voice import screen as screen_voice
from claudine.voice import settings as settings_voice
from tests.image.screen import TYPED, wait_for_text

SETTINGS_FILE = "/var/lib/claudine/settings.json"
SETTINGS = {"keyboard": "de", "time_zone": "Europe/Berlin", "device_name": "attic", "colour": "blue"}


def store_settings(machine: Machine, text: str) -> None:
    machine.succeed(f"cat >{SETTINGS_FILE} <<'END'\n{text}\nEND")


def complaints(machine: Machine) -> str:
    return machine.succeed("journalctl --boot --no-pager --output=cat --unit=claudine-settings.service")


@pytest.fixture(scope="module", autouse=True)
def before(machine: Machine, record_note: Callable[[str, object], None]) -> Iterator[dict[str, str]]:
    """What the machine was before it is restarted, with somebody at the keyboard who wants the boot menu."""
    known = {path: machine.succeed(f"cat {path}") for path in ("/proc/cmdline", "/etc/machine-id")}
    store_settings(machine, json.dumps(SETTINGS))
    restarts = machine.watch.resets
    machine.watch.expected_resets += 1
    machine.send_keys("/restart\n")
    wait_for_text(machine, power.POWER)
    machine.send_keys("\n")

    # Nobody reads keys while the kernel is loaded, and one that finds more than 16 bytes waiting takes the keyboard's
    # controller for none (i8042_flush()). Each of these two keys is three.
    presses = iter(range(2))

    def at_the_keyboard() -> bool | None:
        if machine.watch.resets == restarts:
            return None
        stage = machine.watch.serial_log.stage
        # Not earlier: they are for the boot loader, and the firmware has menus of its own.
        if stage == "boot loader" and next(presses, None) is not None:
            machine.send_keys(" e")
        return True if stage in ("kernel", "initrd", "system") else None

    machine.watch.until("the kernel's start", at_the_keyboard, timeout_s=300, every_s=0.2)
    machine.wait_for_boot()
    record_note("restart", asdict(boot_times(machine, machine.watch.restarted_s)))
    yield known
    # The other tests type on a US keyboard.
    store_settings(machine, json.dumps({"keyboard": "us"}))
    machine.succeed("systemctl restart claudine-settings.service")


def test_the_disk_opens_by_itself(host: Any) -> None:
    assert host.mount_point("/var").device == "/dev/mapper/state"
    assert host.check_output("systemctl is-system-running") == "running"


def test_no_key_changes_what_is_started(machine: Machine, before: dict[str, str]) -> None:
    assert {path: machine.succeed(f"cat {path}") for path in before} == before


def test_the_conversation_goes_on(machine: Machine) -> None:
    assert TYPED in wait_for_text(machine, screen_voice.READY)


def test_what_was_asked_at_the_first_start_is_not_asked_again(machine: Machine) -> None:
    seen = wait_for_text(machine, screen_voice.READY)
    assert not any(asked in seen for asked in (settings_voice.KEYBOARD, voice.KEY_OFFER_PROMPT))


def test_the_journal_of_the_first_start_is_still_there(machine: Machine) -> None:
    assert len(json.loads(machine.succeed("journalctl --list-boots --output=json"))) == 2


def test_the_name_the_owner_chose_is_the_machines(host: Any) -> None:
    assert host.check_output("uname -n") == "attic"


def test_the_time_zone_is_the_owners(host: Any) -> None:
    assert host.check_output("date +%Z") in ("CET", "CEST")


def test_the_keyboard_is_the_owners_and_still_reaches_nothing_else(machine: Machine) -> None:
    keys = machine.succeed("dumpkeys --console=/dev/tty1 --keys-only --separate-lines")
    # The key left of X on a US keyboard.
    [below_a] = [line for line in keys.splitlines() if line.startswith("plain") and " 44 =" in line]
    assert below_a.split()[-1].endswith("y")
    assert not any(word in keys for word in ("Console_", "Boot", "Show_", "SAK"))


def test_a_setting_that_does_not_exist_is_said_and_ignored(machine: Machine) -> None:
    assert "the setting 'colour' is ignored: there is no such setting" in complaints(machine)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"keyboard": ', "it is not JSON"),
        ('{"keyboard": "de; reboot"}', "the setting 'keyboard' is ignored"),
        ('{"time_zone": "../../etc/shadow"}', "the setting 'time_zone' is ignored"),
        ('{"device_name": "-"}', "the setting 'device_name' is ignored"),
    ],
)
def test_a_broken_setting_is_said_and_ignored(machine: Machine, host: Any, text: str, complaint: str) -> None:
    store_settings(machine, text)
    machine.succeed("systemctl restart claudine-settings.service")
    assert complaint in complaints(machine)
    assert host.check_output("systemctl is-system-running") == "running"
