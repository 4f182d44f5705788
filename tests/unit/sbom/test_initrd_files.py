"""The files of an initrd, out of the kernel image."""

from pathlib import Path

import pytest
import zstandard

from builder.sbom import initrd_files
from tests.support.uki_file import cpio, uki_file


def read(tmp_path: Path, **sections: bytes) -> dict[str, bytes | str]:
    path = tmp_path / "kernel.efi"
    path.write_bytes(uki_file({".linux": b"kernel", **{f".{name}": content for name, content in sections.items()}}))
    return {file.path: file.target or file.content for file in initrd_files(path)}


def test_archives_follow_one_another_compressed_or_not(tmp_path: Path) -> None:
    plain, packed = cpio({"etc/a": b"one"}), zstandard.compress(cpio({"etc/b": b"two", "init": b"->lib/init"}))
    again = zstandard.compress(cpio({"usr/c": b"three"}))
    found = read(tmp_path, initrd=plain + bytes(5) + packed + bytes(3) + again + bytes(1))
    assert found == {"/etc/a": b"one", "/etc/b": b"two", "/init": "lib/init", "/usr/c": b"three"}


def test_the_later_of_two_files_holds(tmp_path: Path) -> None:
    assert read(tmp_path, initrd=cpio({"a": b"old"}) + cpio({"a": b"new"})) == {"/a": b"new"}


def test_the_processors_microcode_is_a_part_of_it(tmp_path: Path) -> None:
    found = read(tmp_path, initrd=cpio({"init": b"x"}), ucode=cpio({"kernel/x86/microcode/GenuineIntel.bin": b"m"}))
    assert set(found) == {"/init", "/kernel/x86/microcode/GenuineIntel.bin"}


def test_a_file_may_hold_what_ends_an_archive(tmp_path: Path) -> None:
    assert set(read(tmp_path, initrd=cpio({"a": b"TRAILER!!!", "b": b"070701"}))) == {"/a", "/b"}


def test_a_kernel_image_without_an_initrd_has_no_files(tmp_path: Path) -> None:
    assert read(tmp_path) == {}


BROKEN = [
    (b"\x1f\x8b\x08 gzip", "neither zstd nor cpio"),
    (cpio({"a": b"1"})[:-124], "has no end"),
    (cpio({"a": b"1"}, links=2), "a is a hard link"),
]


@pytest.mark.parametrize(("initrd", "told"), BROKEN)
def test_what_cannot_be_read_is_not_left_out_in_silence(tmp_path: Path, initrd: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(tmp_path, initrd=initrd)
