"""Keys that open something elsewhere open nothing here."""

from typing import Any

import pytest

from builder.vm.headless import runtime_unit
from builder.vm.machine import Machine

MAIN_PID = "systemctl show --property=MainPID --value claudine-client@tty1.service"


@pytest.mark.parametrize("key", ["f1", "f2", "f7", "f12", "left", "right"])
def test_no_other_screen_can_be_reached(machine: Machine, host: Any, key: str) -> None:
    machine.press("alt", key)
    machine.press("ctrl", "alt", key)
    assert host.file("/sys/class/tty/tty0/active").content_string == "tty1\n"


def test_ctrl_alt_del_does_nothing_however_often(machine: Machine) -> None:
    restarts = machine.watch.resets
    for _ in range(8):
        machine.press("ctrl", "alt", "delete")
    assert machine.succeed("systemctl list-jobs --no-legend") == ""
    assert machine.watch.resets == restarts


@pytest.mark.parametrize("letter", ["b", "o", "c", "e", "k", "r"])
def test_the_kernels_own_keys_do_nothing(machine: Machine, letter: str) -> None:
    """Among them: restart, power off, crash, and end all programs on this screen."""
    before = machine.succeed(MAIN_PID)
    restarts = machine.watch.resets
    machine.press("alt", "sysrq", letter)
    assert machine.succeed(MAIN_PID) == before
    assert machine.watch.resets == restarts


def test_the_client_cannot_be_left(machine: Machine) -> None:
    """Ctrl+C, Ctrl+D, Ctrl+Z and Ctrl+backslash leave the same client where it was."""
    before = machine.succeed(MAIN_PID)
    machine.send_keys("\x03\x04\x1a")
    machine.press("ctrl", "backslash")
    machine.send_keys("\n")
    machine.wait_until_succeeds("claudine status")
    assert machine.succeed(MAIN_PID) == before


@pytest.mark.parametrize("unit", ["claudine-client@tty1.service", "the model's"])
def test_a_unit_that_crashes_is_there_again(machine: Machine, unit: str) -> None:
    unit = runtime_unit(machine) if unit == "the model's" else unit
    pid = machine.succeed(f"systemctl show --property=MainPID --value {unit}").strip()
    machine.succeed(f"kill -KILL {pid}")
    machine.wait_until_succeeds(
        f"now=$(systemctl show --property=MainPID --value {unit}); [ $now != 0 ] && [ $now != {pid} ]", timeout_s=60
    )
    machine.wait_for_unit(unit)


def test_no_program_gains_rights_by_being_started(host: Any) -> None:
    assert host.check_output("find / -xdev -type f -perm /6000") == ""
    assert "NoNewPrivs:\t1" in host.file("/proc/1/status").content_string
