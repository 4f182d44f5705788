"""What is written is what the image says, on a disk of any size, and half of it does not start."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.deliver.target import Target
from builder.deliver.write import END_BYTES, HEAD_BYTES, STALE_BYTES, write_image
from builder.errors import BuilderError, ToolError
from builder.verify.formats import gpt
from tests.support.failing_disk import ForgetfulDisk, cut_power
from tests.support.small_image import MIB, small_image

TABLE_BYTES = 33 * 512
DISK_BYTES = 48 * MIB + 512


@pytest.fixture
def image(tmp_path: Path) -> Iterator[int]:
    small_image(tmp_path / "image.raw")
    with (tmp_path / "image.raw").open("rb") as file:
        yield file.fileno()


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A disk that was in use: there is something everywhere that matters."""
    path = tmp_path / "disk"
    with path.open("wb") as file:
        file.write(b"\xa5" * 40 * MIB)
        file.truncate(DISK_BYTES)
        file.seek(DISK_BYTES - END_BYTES)
        file.write(b"\x5a" * END_BYTES)
    return path


def write(image: int, target: Target) -> None:
    write_image(image, os.fstat(image).st_size, target)


def opened(disk: Path) -> int:
    return os.open(disk, os.O_RDWR)


def test_every_byte_of_the_image_is_on_the_disk(image: int, disk: Path, tmp_path: Path) -> None:
    write(image, Target(opened(disk)))
    expected = (tmp_path / "image.raw").read_bytes()
    data = disk.read_bytes()
    end = len(expected) - TABLE_BYTES
    assert data[HEAD_BYTES:end] == expected[HEAD_BYTES:end]
    assert len(data) == DISK_BYTES


def test_both_partition_tables_are_those_of_a_disk_of_this_size(image: int, disk: Path, tmp_path: Path) -> None:
    write(image, Target(opened(disk)))
    data = disk.read_bytes()

    def read(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    last = DISK_BYTES // 512 - 1
    primary, backup = gpt.read_table(read), gpt.read_table(read, last)
    assert primary.partitions == backup.partitions != ()
    assert (primary.header.other, backup.header.other) == (last, 1)
    assert primary.header.last_usable == backup.header.last_usable == last - 33
    assert data[:512] == gpt.protective_mbr(DISK_BYTES)


def test_nothing_old_is_found_where_a_file_system_may_begin_or_end(image: int, disk: Path, tmp_path: Path) -> None:
    write(image, Target(opened(disk)))
    data = disk.read_bytes()
    body_end = (tmp_path / "image.raw").stat().st_size - TABLE_BYTES
    assert not any(data[body_end : body_end + STALE_BYTES])
    assert not any(data[DISK_BYTES - END_BYTES : DISK_BYTES - TABLE_BYTES])


def test_of_a_large_disk_no_more_is_written_than_the_image_has(image: int, tmp_path: Path) -> None:
    disk = tmp_path / "large"
    disk.touch()
    os.truncate(disk, 64 << 30)
    write(image, Target(opened(disk)))
    assert disk.stat().st_blocks * 512 < 24 * MIB


# Where a disk fails: at the first block, in the middle, at the table's copy, and at the table itself.
PLACES = [HEAD_BYTES, 9 * MIB, DISK_BYTES - 1, 0]


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize("place", PLACES)
def test_who_is_killed_on_the_way_leaves_no_partition_table_to_start_from(
    disk: Path, tmp_path: Path, place: int
) -> None:
    assert cut_power(tmp_path / "image.raw", disk, place) == -signal.SIGKILL
    data = disk.read_bytes()
    assert not any(data[:HEAD_BYTES]), "neither the old system nor the new one"
    if place:
        assert not any(data[-END_BYTES:])


@pytest.mark.parametrize("place", PLACES)
def test_a_disk_that_does_not_keep_what_is_written_is_found_out(image: int, disk: Path, place: int) -> None:
    with pytest.raises(ToolError, match="is not what was written there"):
        write(image, ForgetfulDisk(opened(disk), place))


def test_an_image_that_becomes_shorter_is_noticed(image: int, disk: Path, tmp_path: Path) -> None:
    size_bytes = os.fstat(image).st_size
    os.truncate(tmp_path / "image.raw", 10 * MIB)
    with pytest.raises(ToolError, match=r"the image ends at byte 10,485,760"):
        write_image(image, size_bytes, Target(opened(disk)))


@pytest.mark.parametrize("place", [512, 600, 1024])
def test_a_table_that_is_not_sound_is_not_moved(image: int, disk: Path, tmp_path: Path, place: int) -> None:
    with (tmp_path / "image.raw").open("r+b") as file:
        file.seek(place)
        file.write(b"!")
    before = disk.read_bytes()
    with pytest.raises(BuilderError, match="no sound partition table"):
        write(image, Target(opened(disk)))
    assert disk.read_bytes() == before


def test_zeros_are_made_where_there_was_something(disk: Path) -> None:
    target = Target(opened(disk))
    target.zero(MIB, 3 * MIB)
    data = disk.read_bytes()
    assert not any(data[MIB : 4 * MIB])
    assert (data[MIB - 1], data[4 * MIB]) == (0xA5, 0xA5)
