"""A disk is held while it is looked at and written to, and one that was left half done says so."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding

from builder.cli import flash as verb
from builder.deliver import disks
from builder.deliver.disks import Disk
from builder.deliver.flash import FailedCheckError, UnfinishedError, check_image, flash, held_disk
from builder.deliver.source import OpenImage
from builder.errors import BuilderError
from tests.support.failing_disk import RaisingDisk
from tests.support.fake_lsblk import device as listed
from tests.support.loop_device import loop_device
from tests.support.model_image import Owner
from tests.support.screen import Screen
from tests.support.small_image import MIB, small_image

DISK_BYTES = 282 * MIB
# The verb as it is, but for the verification, which takes an image with everything in it.
UNVERIFIED = """
import sys, time
from builder import cli
from builder.cli import flash
from builder.deliver.target import Target
flash.check_image = lambda *_: None
wait_s, write = float(sys.argv.pop(1)), Target.write
Target.write = lambda *arguments: (time.sleep(wait_s), write(*arguments))
cli.main()
"""


@pytest.fixture
def image(tmp_path: Path) -> Iterator[OpenImage]:
    data = small_image(tmp_path / "image.raw")
    with (tmp_path / "image.raw").open("rb") as file:
        yield OpenImage("image.raw", file.fileno(), len(data), tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    path.touch()
    os.truncate(path, DISK_BYTES)
    return path


@pytest.fixture
def device(file: Path) -> Iterator[str]:
    with loop_device(file) as attached:
        yield attached


def start_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MIB)


def disk_at(path: Path) -> Disk:
    return Disk(str(path), "disk", DISK_BYTES, "", "", "", True, False, 512, ())


# (what happens, the exit code, what is told)
UNFINISHED = [
    (KeyboardInterrupt(), 130, "interrupted; /.* is unfinished: no machine starts from it, and what was on it is lost"),
    (OSError(errno.EIO, "Input/output error"), 3, "failed: Input/output error; /.* is unfinished"),
    (OSError(errno.ENODEV, "No such device"), 3, "failed: No such device; /.* is unfinished"),
]


@pytest.mark.parametrize(("error", "exit_code", "told"), UNFINISHED, ids=["ctrl-c", "io-error", "gone"])
@pytest.mark.parametrize("place", [9 * MIB, DISK_BYTES - 1, 0])
def test_an_unfinished_disk_does_not_start_and_says_so(
    image: OpenImage, file: Path, place: int, error: BaseException, exit_code: int, told: str
) -> None:
    with file.open("r+b") as opened, pytest.raises(UnfinishedError, match=told) as caught:
        flash(image, disk_at(file), RaisingDisk(opened.fileno(), place, error))
    assert caught.value.exit_code == exit_code
    assert "Start the same command again" in caught.value.hint
    assert not any(start_of(file))
    with file.open("rb") as opened:
        opened.seek(-MIB, os.SEEK_END)
        assert not any(opened.read())


def test_an_image_that_is_not_what_it_claims_to_be_is_not_written(
    image: OpenImage, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = image.beside / "verity.crt"
    certificate.write_bytes(Owner("Ada").certificate.public_bytes(Encoding.PEM))
    with pytest.raises(FailedCheckError, match="nothing was written") as caught:
        check_image(image, [certificate])
    assert caught.value.exit_code == 1
    assert "✗ gpt, " in capsys.readouterr().err


def test_a_disk_is_held_as_long_as_it_is_worked_on(device: str) -> None:
    with held_disk(device, unmount_first=False) as (disk, target):
        assert (disk.path, target.size_bytes) == (device, DISK_BYTES)
        with pytest.raises(BuilderError, match="cannot be had exclusively"), held_disk(device, unmount_first=False):
            pass


def test_a_loop_device_is_written_to_and_its_file_stays_small(image: OpenImage, file: Path) -> None:
    os.truncate(file, 64 << 30)
    with loop_device(file) as device, held_disk(device, unmount_first=False) as (disk, target):
        flash(image, disk, target)
    assert file.stat().st_blocks * 512 < 24 * MIB
    expected = (image.beside / "image.raw").read_bytes()
    with file.open("rb") as disk_file:
        assert disk_file.read(20 * MIB)[MIB:] == expected[MIB : 20 * MIB]


def test_a_mounted_disk_is_refused_unless_it_may_be_unmounted(device: str, tmp_path: Path) -> None:
    place = Path("/mnt") / f"claudineos-{tmp_path.name}-{os.getpid()}"
    subprocess.run(["mkfs.ext4", "-q", device], check=True)
    place.mkdir()
    try:
        subprocess.run(["mount", device, place], check=True)
        with (
            pytest.raises(BuilderError, match=f"{device} is mounted at {place}"),
            held_disk(device, unmount_first=False),
        ):
            pass
        with held_disk(device, unmount_first=True) as (disk, _):
            assert [content.mount_points for content in disk.contents] in ([], [()])
    finally:
        subprocess.run(["umount", "--quiet", place], check=False)
        place.rmdir()


@pytest.mark.parametrize(("options", "told"), [(["--read-only"], "read-only"), (["--sector-size", "4096"], "4096")])
def test_disks_that_cannot_be_written_to_or_started_from_are_refused(file: Path, options: list[str], told: str) -> None:
    with (
        loop_device(file, *options) as device,
        pytest.raises(BuilderError, match=told),
        held_disk(device, unmount_first=False),
    ):
        pass


def test_a_partition_is_refused_by_naming_its_disk(device: str, lsblk: Callable[..., None]) -> None:
    lsblk(listed("/dev/sdx", "disk", children=[listed(device, "part")]))
    with (
        pytest.raises(BuilderError, match=f"{device} is a partition of /dev/sdx"),
        held_disk(device, unmount_first=False),
    ):
        pass


def test_a_disk_that_is_changed_for_another_is_noticed(device: str, lsblk: Callable[..., None]) -> None:
    lsblk(listed(device, "disk", size=DISK_BYTES + 512))
    with pytest.raises(BuilderError, match="changed for another disk"), held_disk(device, unmount_first=False):
        pass


def test_a_link_by_the_disks_id_is_as_good_as_its_name(
    device: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(disks, "_LINKS", tmp_path)
    (tmp_path / "by-id").mkdir()
    (tmp_path / "by-id/usb-Extreme").symlink_to(device)
    with held_disk(str(tmp_path / "by-id/usb-Extreme"), unmount_first=False) as (disk, _):
        assert disk.path == device


def start(image: OpenImage, device: str, *, wait_s: float = 0) -> Screen:
    command = [sys.executable, "-c", UNVERIFIED, str(wait_s), "flash", str(image.beside / image.name), device]
    # The host may be busy.
    return Screen(command, {**os.environ, "TERM": "dumb"}, patience_s=60)


def test_a_person_types_the_disks_name(image: OpenImage, device: str, file: Path) -> None:
    with start(image, device) as screen:
        assert "All that is on it will be lost" in screen.wait_for(f"Type {Path(device).name} to go on")
        screen.type(f"{Path(device).name}\r")
        screen.wait_for("safe to remove")
        assert screen.wait_for_end() == 0
    assert start_of(file)[512:520] == b"EFI PART"


def test_another_name_leaves_the_disk_as_it_is(image: OpenImage, device: str, file: Path) -> None:
    with start(image, device) as screen:
        screen.wait_for("to go on")
        screen.type("yes\r")
        screen.wait_for("nothing was written")
        assert screen.wait_for_end() == 2
    assert file.stat().st_blocks == 0


def test_ctrl_c_says_what_state_the_disk_is_in(image: OpenImage, device: str, file: Path) -> None:
    with start(image, device, wait_s=1) as screen:
        screen.wait_for("to go on")
        screen.type(f"{Path(device).name}\r")
        screen.wait_for("Writing image.raw")
        screen.type("\x03")
        screen.wait_for(f"{device} is unfinished: no machine starts from it")
        screen.wait_for("Start the same command again")
        assert screen.wait_for_end() == 130
    assert not any(start_of(file))


def test_a_script_must_know_the_serial_number(
    image: OpenImage, device: str, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    monkeypatch.setattr(verb, "check_image", lambda *_: None)
    arguments = [str(image.beside / image.name), device]
    for options, told in [
        ([], "nobody is here to confirm that"),
        (["--yes"], "--yes needs the disk's serial number"),
        (["--yes", "--serial", "4C53"], "has no serial number, not 4C53"),
        (["--yes", "--serial", ""], "--yes needs the disk's serial number"),
    ]:
        done = CliRunner().invoke(verb.command, [*arguments, *options])
        assert told in f"{done.exception} {done.output}", options
    assert file.stat().st_blocks == 0
