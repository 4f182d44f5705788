"""A machine as it is sold: its firmware trusts its vendor, and nobody else."""

from dataclasses import replace
from pathlib import Path

from builder.vm.directory import MachineDirectory
from claudine_preflight import voice
from tests.image.faults.refusal import expect_firmware_refusal
from tests.image.hardware.boot_menu import Entry, choose
from tests.image.hardware.conftest import SwitchOn, wait_for_report
from tests.image.hardware.machines import NVME
from tests.image.screen import flat
from tests.support.secure_boot_switch import switch_off

SOLD = replace(NVME, firmware_keys="vendor")


def test_it_refuses_the_image_until_secure_boot_is_off_and_then_the_check_says_what_to_do(
    switch_on: SwitchOn, tmp_path: Path
) -> None:
    directory = MachineDirectory(tmp_path / "sold")
    with switch_on(directory.path, SOLD) as machine:
        expect_firmware_refusal(machine, "the firmware refused the boot loader")
    switch_off(directory.variables)
    with switch_on(directory.path, SOLD) as machine:
        choose(machine, Entry.CHECK)
        seen = wait_for_report(machine)
        assert flat("off, and not in setup mode: no keys can be enrolled") in seen
        assert "bring it into setup mode (delete or clear all Secure Boot keys)" in seen
        assert flat(voice.PREVENTS) in seen
        machine.send_keys("p")
        machine.wait_for_power_off(300)
