"""The power fails during the first boot: the next one makes good what was half made."""

from pathlib import Path

import pytest

from claudine import voice
from tests.image.faults.machines import MOMENTS, MachineInUse, SwitchOn
from tests.image.screen import flat
from tests.support.power_cut import copy_directory


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_machine_starts_after_a_power_cut(
    moment: str, machine_in_use: MachineInUse, switch_on: SwitchOn, tmp_path: Path
) -> None:
    directory = copy_directory(machine_in_use.cuts[moment], tmp_path / "machine")
    with switch_on(directory) as machine:
        machine.wait_for_boot()
        assert machine.succeed("systemctl --failed --plain --no-legend") == ""
        assert machine.succeed("systemctl is-system-running").strip() == "running"
        assert machine.succeed("findmnt --noheadings --output SOURCE /var").strip() == "/dev/mapper/state"
        machine.succeed("cryptsetup status state | grep -q LUKS2")
        assert flat(machine.console_text()).startswith(flat(voice.GREETING))
