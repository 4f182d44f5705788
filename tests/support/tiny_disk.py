"""A disk with a partition table, made by hand; each field can be set to what it must not be."""

import struct
import uuid
import zlib
from dataclasses import dataclass, field

SECTOR = 512
_ENTRIES_SECTORS = 32
# Where repart begins, too, in a smaller unit: nothing here needs a megabyte.
_ALIGNMENT_SECTORS = 8


@dataclass
class Part:
    """A partition: its place follows from its content, unless `sectors` says another one."""

    kind: str
    id: str
    label: str | bytes
    content: bytes
    attributes: int = 0
    sectors: tuple[int, int] | None = None

    @property
    def label_bytes(self) -> bytes:
        return self.label.encode("utf-16-le") if isinstance(self.label, str) else self.label


@dataclass
class TinyDisk:
    """`reserve` is the number of sectors between the last partition and the backup table."""

    id: str
    parts: list[Part]
    reserve: int = 8
    first_usable: int = 2 + _ENTRIES_SECTORS
    last_usable: int | None = None
    spare_entry: bytes = b""
    backup_id: str | None = None
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def part(self, kind: str) -> Part:
        return next(part for part in self.parts if part.kind == kind)

    def offset(self, kind: str) -> int:
        """Where a partition begins, in bytes; known when the disk was laid out."""
        return self.places[kind][0] * SECTOR

    def to_bytes(self) -> bytes:
        at = -(-(2 + _ENTRIES_SECTORS) // _ALIGNMENT_SECTORS) * _ALIGNMENT_SECTORS
        for part in self.parts:
            count = -(-len(part.content) // SECTOR)
            self.places[part.kind] = part.sectors or (at, at + count - 1)
            at = -(-(at + count) // _ALIGNMENT_SECTORS) * _ALIGNMENT_SECTORS
        total = at + self.reserve + _ENTRIES_SECTORS + 1
        image = bytearray(total * SECTOR)
        for part in self.parts:
            start = self.places[part.kind][0] * SECTOR
            image[start : start + len(part.content)] = part.content
        self._put_tables(image, total)
        return bytes(image)

    def _put_tables(self, image: bytearray, total: int) -> None:
        entries = b"".join(map(self._entry, self.parts)) + self.spare_entry
        entries = entries.ljust(_ENTRIES_SECTORS * SECTOR, b"\0")
        last_usable = total - _ENTRIES_SECTORS - 2 if self.last_usable is None else self.last_usable
        image[446:462] = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, total - 1)
        image[510:512] = b"\x55\xaa"
        backup = total - 1 - _ENTRIES_SECTORS
        for own, other, where, identity in (
            (1, total - 1, 2, self.id),
            (total - 1, 1, backup, self.backup_id or self.id),
        ):
            fields: list[object] = [b"EFI PART", 0x10000, 92, 0, 0, own, other, self.first_usable, last_usable]
            fields += [uuid.UUID(identity).bytes_le, where, 128, 128, zlib.crc32(entries)]
            header = struct.Struct("<8sIIIIQQQQ16sQIII")
            fields[3] = zlib.crc32(header.pack(*fields))
            image[own * SECTOR : own * SECTOR + header.size] = header.pack(*fields)
            image[where * SECTOR : where * SECTOR + len(entries)] = entries

    def _entry(self, part: Part) -> bytes:
        kind, identity = uuid.UUID(part.kind).bytes_le, uuid.UUID(part.id).bytes_le
        return struct.pack("<16s16sQQQ72s", kind, identity, *self.places[part.kind], part.attributes, part.label_bytes)
