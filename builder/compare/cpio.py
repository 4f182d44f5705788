"""Reads the initrd of a kernel image: cpio archives one after the other, each plain or compressed with zstd.

Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst ("newc").
"""

import posixpath
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from builder.compare.zstd import decompress_frame
from builder.verify.formats.malformed import MalformedError

MAGIC = b"070701"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
HEADER_BYTES = 110
TRAILER = "TRAILER!!!"
# Ours unpacks to 34 MB.
MAX_UNPACKED_BYTES = 1 << 30


@dataclass(frozen=True)
class CpioEntry:
    """A file of an archive: `path` begins with a slash, `device` is what a device file stands for."""

    path: str
    mode: int
    uid: int
    gid: int
    mtime_s: int
    device: tuple[int, int]
    data: bytes


def read_initrd(data: bytes) -> Iterator[CpioEntry]:
    """Yield all files; what comes later is laid over what came before. MalformedError if it is no such initrd."""
    left = MAX_UNPACKED_BYTES
    offset = 0
    while offset < len(data):
        if data.startswith(ZSTD_MAGIC, offset):
            archive, stored_bytes = decompress_frame(data[offset:], left)
            left -= len(archive)
            yield from _archives(archive)
            offset += stored_bytes
        elif data.startswith(MAGIC, offset):
            offset = yield from _archive(data, offset)
        else:
            offset = _behind_padding(data, offset)


def _archives(data: bytes) -> Iterator[CpioEntry]:
    offset = 0
    while offset < len(data):
        if data.startswith(MAGIC, offset):
            offset = yield from _archive(data, offset)
        else:
            offset = _behind_padding(data, offset)


def _behind_padding(data: bytes, offset: int) -> int:
    """Return the offset of what follows the zeros that archives are padded with."""
    end = len(data) - len(data[offset:].lstrip(b"\0"))
    if end == offset:
        raise MalformedError("neither a cpio archive nor one compressed with zstd", offset)
    return end


def _archive(data: bytes, offset: int) -> Generator[CpioEntry, None, int]:
    """Yield the files of the archive at `offset`, and return where it ends."""
    while True:
        header = data[offset : offset + HEADER_BYTES]
        try:
            if not header.startswith(MAGIC):
                raise ValueError
            fields = [int(header[start : start + 8], 16) for start in range(6, HEADER_BYTES, 8)]
        except ValueError:
            raise MalformedError("an archive member without a header", offset) from None
        _, mode, uid, gid, _, mtime, size, _, _, major, minor, name_bytes, _ = fields
        name_end = offset + HEADER_BYTES + name_bytes
        start = -(-name_end // 4) * 4
        end = start + size
        if end > len(data) or not name_bytes:
            raise MalformedError("an archive member that is cut short", offset)
        name = data[offset + HEADER_BYTES : name_end - 1].decode("utf-8", "surrogateescape")
        offset = -(-end // 4) * 4
        if name == TRAILER:
            return offset
        yield CpioEntry(posixpath.normpath(f"/{name}"), mode, uid, gid, mtime, (major, minor), data[start:end])
