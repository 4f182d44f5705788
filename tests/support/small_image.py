"""A disk image of a few MiB, with what images have: a partition table, data, and room for more data."""

import random
import struct
import uuid
import zlib
from pathlib import Path

SECTOR_BYTES = 512
MIB = 1 << 20
ENTRIES_BYTES = 128 * 128
TYPE = uuid.UUID("9f3b6c1e-7d24-4c58-8a0f-3e5d1b7a6c42")
HEADER = "<8sIIIIQQQQ16sQIII"


def small_image(path: Path, *, size_bytes: int = 24 * MIB) -> bytes:
    """Write an image with one partition to `path` and return it; every other block of 4 MiB of it is empty."""
    sectors = size_bytes // SECTOR_BYTES
    first, last = MIB // SECTOR_BYTES, sectors - 2 - ENTRIES_BYTES // SECTOR_BYTES
    label = "data".encode("utf-16-le")
    entry = struct.pack("<16s16sQQQ72s", TYPE.bytes_le, uuid.UUID(int=1).bytes_le, first, last, 0, label)
    entries = entry.ljust(ENTRIES_BYTES, b"\0")
    record = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff" * 3, 1, sectors - 1)
    data = bytearray(size_bytes)
    data[446:462], data[510:512] = record, b"\x55\xaa"
    data[512:604] = _header(1, sectors - 1, 2, entries, last)
    data[1024 : 1024 + ENTRIES_BYTES] = entries
    body = random.Random(1)
    for start in range(MIB, size_bytes - 5 * MIB, 8 * MIB):
        data[start : start + 4 * MIB] = body.randbytes(4 * MIB)
    data[-512 - ENTRIES_BYTES : -512] = entries
    data[-512:-420] = _header(sectors - 1, 1, last + 1, entries, last)
    path.write_bytes(data)
    return bytes(data)


def _header(own: int, other: int, place: int, entries: bytes, last: int) -> bytes:
    crc = 0
    for _ in range(2):
        fields = (own, other, MIB // SECTOR_BYTES, last, bytes(16), place, 128, 128, zlib.crc32(entries))
        header = struct.pack(HEADER, b"EFI PART", 0x10000, 92, crc, 0, *fields)
        crc = zlib.crc32(header)
    return header
