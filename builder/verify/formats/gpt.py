"""GUID partition tables with sectors of 512 bytes and 128 entries of 128, which is how systemd-repart writes them.

Source: UEFI 2.11, sections 5.2.3 (protective MBR), 5.3.2 (header) and 5.3.3 (entries).
"""

import struct
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from builder.verify.formats.malformed import MalformedError

SECTOR_BYTES = 512
ENTRY_COUNT = 128
ENTRY_BYTES = 128
ENTRIES_SECTORS = ENTRY_COUNT * ENTRY_BYTES // SECTOR_BYTES

_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_REVISION = 0x00010000

Read = Callable[[int, int], bytes]


@dataclass(frozen=True)
class Header:
    """One of the two headers. The numbers are sectors; `disk_id` is a GUID in lower case."""

    own: int
    other: int
    first_usable: int
    last_usable: int
    disk_id: str
    entries: int
    entries_crc: int


@dataclass(frozen=True)
class Partition:
    """A used entry: `type` and `id` are GUIDs in lower case, the offset is from the start of the disk."""

    number: int
    type: str
    id: str
    offset_bytes: int
    size_bytes: int
    attributes: int
    label: str

    @property
    def end_bytes(self) -> int:
        """The offset of the first byte behind it."""
        return self.offset_bytes + self.size_bytes


@dataclass(frozen=True)
class Table:
    """A header and the partitions that it lists, in the order of their entries."""

    header: Header
    partitions: tuple[Partition, ...]


def read_table(read: Read, sector: int = 1) -> Table:
    """Read the header at this sector, and its entries. Where they lie on the disk is for the caller to judge."""
    header = read_header(read, sector)
    return Table(header, read_entries(read, header))


def read_header(read: Read, sector: int) -> Header:
    """Read a header; everything in it that is not for the caller to judge has its one possible value."""
    offset = sector * SECTOR_BYTES
    data = read(offset, SECTOR_BYTES)
    # fmt: off
    (
        signature, revision, size, crc, reserved, own, other, first, last,
        disk_id, entries, count, entry_size, entries_crc,
    ) = _HEADER.unpack_from(data)
    # fmt: on
    if signature != b"EFI PART":
        raise MalformedError("no GPT header", offset)
    if (revision, size) != (_REVISION, _HEADER.size):
        raise MalformedError(f"a GPT header of revision {revision:#x} with {size} bytes", offset + 8)
    if zlib.crc32(data[:16] + bytes(4) + data[20 : _HEADER.size]) != crc:
        raise MalformedError("the checksum of the GPT header does not match", offset + 16)
    if reserved or any(data[_HEADER.size :]):
        raise MalformedError("something in the reserved bytes of the GPT header", offset + _HEADER.size)
    if own != sector:
        raise MalformedError(f"a GPT header that says it is at sector {own}", offset + 24)
    if (count, entry_size) != (ENTRY_COUNT, ENTRY_BYTES):
        raise MalformedError(f"a GPT with {count} entries of {entry_size} bytes", offset + 80)
    return Header(own, other, first, last, _guid(disk_id), entries, entries_crc)


def read_entries(read: Read, header: Header) -> tuple[Partition, ...]:
    """Read the used entries; those that are not used must be empty."""
    offset = header.entries * SECTOR_BYTES
    data = read(offset, ENTRY_COUNT * ENTRY_BYTES)
    if zlib.crc32(data) != header.entries_crc:
        raise MalformedError("the checksum of the GPT entries does not match", offset)
    partitions = []
    for number in range(ENTRY_COUNT):
        entry = data[number * ENTRY_BYTES : (number + 1) * ENTRY_BYTES]
        if any(entry):
            partitions.append(_partition(number + 1, entry, offset + number * ENTRY_BYTES))
    return tuple(partitions)


def protective_mbr(disk_bytes: int) -> bytes:
    """Return the first sector of a GPT disk of this length: one entry of type EE that covers it all."""
    sectors = min(disk_bytes // SECTOR_BYTES - 1, 0xFFFFFFFF)
    entry = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, sectors)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def _partition(number: int, entry: bytes, offset: int) -> Partition:
    kind, identity, first, last, attributes, name = _ENTRY.unpack(entry)
    if not any(kind):
        raise MalformedError(f"something in entry {number}, which is not used", offset)
    if last < first:
        raise MalformedError(f"partition {number} ends before it begins", offset + 32)
    try:
        label, _, rest = name.decode("utf-16-le").partition("\0")
    except UnicodeDecodeError:
        raise MalformedError(f"the label of partition {number} is no text", offset + 56) from None
    if rest.strip("\0"):
        raise MalformedError(f"something behind the label of partition {number}", offset + 56)
    start, size = first * SECTOR_BYTES, (last - first + 1) * SECTOR_BYTES
    return Partition(number, _guid(kind), _guid(identity), start, size, attributes, label)


def _guid(data: bytes) -> str:
    return str(uuid.UUID(bytes_le=data))
