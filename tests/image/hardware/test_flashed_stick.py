"""The image for mini-PCs, flashed to a USB stick, starts from it."""

import shutil
from pathlib import Path

from builder.toolchain import Toolchain
from builder.vm.directory import MachineDirectory, open_directory, prepare
from builder.vm.disk_image import DiskImage, open_disk_image
from builder.vm.machine import Machine
from tests.image.flashing import flash, sparse_file
from tests.image.hardware.machines import MACHINES
from tests.image.screen import wait_for_client


def test_a_machine_starts_from_a_stick_that_was_flashed(
    mini_pc: DiskImage, enrolled: MachineDirectory, toolchain: Toolchain, tmp_path: Path, artefacts: Path
) -> None:
    file = sparse_file(tmp_path / "stick", 16 << 30)
    flash(mini_pc.path, file)
    stick, directory = open_disk_image(file), open_directory(tmp_path / "machine")
    # Its firmware knows the owner's keys already.
    prepare(toolchain, directory, stick, fresh=True)
    shutil.copyfile(enrolled.variables, directory.variables)
    hardware = MACHINES["usb"].hardware
    with Machine(toolchain, stick, directory.path, hardware=hardware, artefacts=artefacts) as machine:
        wait_for_client(machine)
        assert int(machine.succeed("blockdev --getsize64 /dev/disk/claudine-state")) > 14 << 30
        machine.shutdown()
