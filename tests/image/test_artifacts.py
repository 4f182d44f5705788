"""The artifacts themselves: the same from every build, and refused when they are changed."""

import mmap
import subprocess
import sys
from pathlib import Path

import pytest

from builder.image import BuildLayout
from builder.toolchain import open_toolchain
from builder.vm.disk_image import DiskImage, open_disk_image
from builder.vm.machine import Machine
from builder.vm.watch import MachineError


def test_another_build_elsewhere_gives_the_same_bytes(image: DiskImage, tmp_path: Path) -> None:
    """Same profile, same keys, another path, everything but the installed packages made anew; signatures included."""
    built = BuildLayout(image.path.parents[2], image.path.parents[1].name)
    again = BuildLayout(tmp_path, built.profile)
    keys = str(built.throwaway_keys)
    command = [
        sys.executable,
        "-m",
        "builder.cli",
        "build",
        built.profile,
        "--keys",
        keys,
        "--build-dir",
        str(tmp_path),
    ]
    subprocess.run(command, check=True, capture_output=True)
    assert (again.out / "SHA256SUMS").read_text() == (built.out / "SHA256SUMS").read_text()


def test_the_firmware_refuses_a_changed_kernel_command_line(image: DiskImage, tmp_path: Path) -> None:
    """Somebody with the disk in hand tells the kernel not to ask for signatures: one byte of the kernel image."""
    changed = tmp_path / "changed.raw"
    subprocess.run(["cp", "--sparse=always", image.path, changed], check=True)
    argument = b"dm_verity.require_signatures=1"
    with changed.open("r+b") as disk, mmap.mmap(disk.fileno(), 0) as content:
        position = content.find(argument)
        assert position > 0
        content[position + len(argument) - 1] = ord("0")
    machine = Machine(open_toolchain(), open_disk_image(changed), tmp_path / "machine")
    with pytest.raises(MachineError, match="no enrolled key signed it"), machine:
        machine.wait_for_shell()
    # The keys were enrolled first: before that, this firmware trusts everybody.
    assert machine.watch.resets == 1
