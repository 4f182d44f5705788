"""The partition table of an image on a disk that is larger than it (GPT; UEFI 2.11, section 5.3).

A disk has the table twice, at its beginning and in its last sectors, and each says where the other one is. So both
are different on each size of disk, though the partitions are the same.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from builder.deliver.refusals import IMAGE_SECTOR_BYTES as SECTOR_BYTES
from builder.errors import BuilderError

# Table 5.5 of the specification.
_FORMAT = struct.Struct("<8sIIIIQQQQ16sQIII")
# The protective MBR's only record: how many sectors it protects (table 5.4).
_PROTECTED = 446 + 12


class _Header(NamedTuple):
    """Places are sectors: the header's own, the other header's, the usable ones, the first one of the entries."""

    signature: bytes
    revision: int
    size: int
    crc: int
    reserved: int
    own: int
    other: int
    first_usable: int
    last_usable: int
    disk_id: bytes
    entries: int
    entry_count: int
    entry_bytes: int
    entries_crc: int


@dataclass(frozen=True)
class Table:
    """The two ends of a disk: `head` is its first bytes, `tail` its last ones; whole sectors."""

    head: bytes
    tail: bytes


def table_for_disk(head: bytes, disk_bytes: int) -> Table:
    """Return the partition table in `head`, the first MiB of an image, as it is on a disk of this size.

    Raises BuilderError where there is no table in it that can be moved.
    """
    header = _Header._make(_FORMAT.unpack_from(head, SECTOR_BYTES))
    entries = head[header.entries * SECTOR_BYTES :][: header.entry_count * header.entry_bytes]
    if header.signature != b"EFI PART" or header.size != _FORMAT.size or zlib.crc32(entries) != header.entries_crc:
        raise BuilderError("the image has no sound partition table at its beginning", hint="Build it again")
    entries += bytes(-len(entries) % SECTOR_BYTES)

    last = disk_bytes // SECTOR_BYTES - 1
    backup_entries = last - len(entries) // SECTOR_BYTES
    header = header._replace(last_usable=backup_entries - 1)
    primary = _packed(header._replace(own=1, other=last))
    backup = _packed(header._replace(own=last, other=1, entries=backup_entries))
    new_head = bytearray(head)
    struct.pack_into("<I", new_head, _PROTECTED, min(last, 0xFFFFFFFF))
    new_head[SECTOR_BYTES : SECTOR_BYTES + _FORMAT.size] = primary
    return Table(bytes(new_head), entries + backup + bytes(SECTOR_BYTES - len(backup)))


def _packed(header: _Header) -> bytes:
    crc = zlib.crc32(_FORMAT.pack(*header._replace(crc=0)))
    return _FORMAT.pack(*header._replace(crc=crc))
