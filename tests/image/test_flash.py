"""The image, flashed to a disk of another size: it is all there, a machine starts from it, and from half of it none."""

import signal
from pathlib import Path

import pytest

from builder.run import run
from builder.toolchain import open_toolchain
from builder.verify import verify
from builder.vm.disk_image import DiskImage, open_disk_image
from builder.vm.machine import Machine
from builder.vm.watch import MachineError
from tests.image.flashing import flash, sparse_file
from tests.image.screen import wait_for_client
from tests.support.failing_disk import cut_power
from tests.support.loop_device import loop_device

DISK_BYTES = 16 << 30


@pytest.fixture(scope="module")
def disk(image: DiskImage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = sparse_file(tmp_path_factory.mktemp("flash") / "disk", DISK_BYTES)
    flash(image.path, file)
    return file


def test_no_more_is_written_than_the_image_has(image: DiskImage, disk: Path) -> None:
    assert disk.stat().st_blocks * 512 <= image.size_bytes + (1 << 20)


def test_every_claim_about_the_image_holds_for_the_disk(image: DiskImage, disk: Path) -> None:
    with loop_device(disk) as device:
        assert verify(Path(device), directory=image.path.parent).failed == ()


def test_a_machine_starts_from_it_and_takes_the_rest_of_it_for_its_state(
    disk: Path, tmp_path: Path, artefacts: Path
) -> None:
    with Machine(open_toolchain(), open_disk_image(disk), tmp_path / "machine", artefacts=artefacts) as machine:
        wait_for_client(machine)
        assert int(machine.succeed("blockdev --getsize64 /dev/disk/claudine-state")) > 0.9 * DISK_BYTES
        machine.shutdown()


def test_firmware_finds_nothing_to_start_on_a_disk_that_is_half_written(
    image: DiskImage, disk: Path, tmp_path: Path, artefacts: Path
) -> None:
    """Although an older system was on it, which started."""
    half = tmp_path / "half"
    run(["cp", "--sparse=always", str(disk), str(half)])
    assert cut_power(image.path, half, image.size_bytes * 3 // 4) == -signal.SIGKILL
    status = half.stat()
    unfinished = DiskImage(half, status.st_size, status.st_mtime_ns)
    with (
        Machine(open_toolchain(), unfinished, tmp_path / "machine", artefacts=artefacts) as machine,
        pytest.raises(MachineError, match="the firmware found nothing to boot on the disk"),
    ):
        machine.wait_for_shell()
