"""The root's file system is read without mounting it, whoever made it."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.compare.erofs import Erofs
from builder.compare.source import Memory
from builder.verify.formats.malformed import MalformedError
from tests.support.erofs_tree import BLOCK, Entry, compressed, directory, erofs_tree, file, link

TREE = {
    "/etc": directory(),
    "/etc/hostname": file(b"claudine\n", 0o600, uid=7, gid=8),
    "/usr": directory(0o700),
    "/usr/long": compressed(b"twelve bytes" * 4000),
    "/usr/link": link("../etc/hostname"),
    "/usr/empty": file(b""),
    "/usr/two-blocks": file(b"x" * BLOCK + b"y"),
    "/usr/capable": Entry(0o100755, b"ping", xattrs=((6, b"capability", b"\1\2\3"),)),
}
IMAGE = erofs_tree(TREE)
PLACES = dict(Erofs(Memory(IMAGE)).walk())


def read(image: bytes) -> dict[str, bytes]:
    files = Erofs(Memory(image))
    return {path: b"".join(files.chunks(inode)) for path, inode in files.walk()}


def test_each_file_is_read_as_it_was_written() -> None:
    contents = read(IMAGE)
    assert contents.keys() == {"/", *TREE}
    assert {path: contents[path] for path, entry in TREE.items() if entry.mode & 0o170000 != 0o040000} == {
        path: entry.content for path, entry in TREE.items() if entry.mode & 0o170000 != 0o040000
    }


def test_modes_owners_times_and_attributes_are_read() -> None:
    hostname, capable = PLACES["/etc/hostname"], PLACES["/usr/capable"]
    assert (hostname.mode, hostname.uid, hostname.gid, hostname.mtime_s) == (0o100600, 7, 8, 1_793_491_200)
    assert capable.xattrs == (("security.capability", b"\1\2\3"),)


def patched(offset: int, data: bytes) -> bytes:
    return IMAGE[:offset] + data + IMAGE[offset + len(data) :]


def inode_at(path: str) -> int:
    return PLACES[path].number * 32


def listing_at(path: str) -> int:
    return PLACES[path].union * BLOCK


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (b"", "bytes at 1024"),
        (IMAGE[:1100], "bytes at"),
        (patched(1024, b"\0"), "no erofs"),
        (patched(1024 + 12, b"\x3f"), "blocks of"),
        (patched(1024 + 80, b"\x20"), "is not read here"),
        (patched(1024 + 84, b"\1"), "is not read here"),
        (patched(inode_at("/usr/long"), struct.pack("<H", 1 | 4 << 1)), "inode of format"),
        (patched(inode_at("/etc/hostname") + 4, struct.pack("<H", 0o060600)), "with content"),
        (patched(inode_at("/usr/two-blocks") + 8, struct.pack("<Q", 1 << 50)), "bytes at"),
        (patched(inode_at("/usr/long") + 8, struct.pack("<Q", 1 << 50)), "compressed file of"),
        (patched(inode_at("/usr/long") + 64 + 6, b"\2"), "compressed with settings"),
        (patched(inode_at("/usr/long") + 64 + 16, struct.pack("<HHI", 2, 0, 0)), "begin|first cluster"),
        (patched(inode_at("/usr/long") + 64 + 16, struct.pack("<HH", 1, 9)), "begin at its start"),
        (patched(PLACES["/usr/long"].union * BLOCK, b"x"), "zstd"),
        (patched(inode_at("/") + 8, struct.pack("<Q", 1 << 40)), "bytes at"),
        (patched(listing_at("/usr") + 8, struct.pack("<H", 13)), "impossible offsets"),
        (patched(listing_at("/usr") + 12 + 8, struct.pack("<H", 4095)), "proper name"),
        # The directory's last name: a path of its own.
        (patched(IMAGE.index(b"two-blocks"), b"a/b"), "file name"),
        # A directory whose entry leads back to the one above it.
        (patched(listing_at("/") + 24, struct.pack("<Q", PLACES["/"].number)), "inside itself"),
    ],
)
def test_what_the_format_does_not_allow_is_refused(image: bytes, complaint: str) -> None:
    with pytest.raises(MalformedError, match=complaint):
        read(image)


@given(st.lists(st.tuples(st.integers(1024, len(IMAGE) - 1), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_changed_bytes_are_read_or_refused_and_nothing_else(changes: list[tuple[int, int]]) -> None:
    image = bytearray(IMAGE)
    for offset, value in changes:
        image[offset] = value
    with contextlib.suppress(MalformedError):
        read(bytes(image))
