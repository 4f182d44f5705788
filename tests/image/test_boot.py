"""The image boots the way it promises."""

from pathlib import Path
from typing import Any

from builder.vm.machine import Machine

SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def test_the_first_boot_enrols_the_keys_and_restarts_once(machine: Machine) -> None:
    assert machine.watch.resets == 1


def test_secure_boot_is_on(machine: Machine) -> None:
    # Four bytes of attributes, then the value (UEFI 2.11, 3.3).
    assert machine.shell.run_binary(f"cat {SECURE_BOOT}").stdout[-1:] == b"\1"


def test_no_unit_has_failed(host: Any) -> None:
    assert host.check_output("systemctl --failed --plain --no-legend") == ""


def test_the_screen_can_be_pictured(machine: Machine, tmp_path: Path) -> None:
    machine.screenshot(tmp_path / "screen.png")
    assert (tmp_path / "screen.png").read_bytes().startswith(b"\x89PNG")
