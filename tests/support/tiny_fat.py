"""A small FAT32 volume, made by hand as mkfs.fat and mtools make it; all files lie in one piece, one after the other.

Real ones are not smaller than 32 MiB. For who does not count clusters, these are the same.
"""

import struct
from dataclasses import dataclass, field
from datetime import date

SECTOR = 512
RESERVED_SECTORS = 32
END = 0x0FFFFFFF
DAY = date(2026, 11, 1)


@dataclass
class TinyFat:
    """A volume with these files (by their paths), and `spare` clusters that nothing is in."""

    files: dict[str, bytes]
    serial: int
    spare: int = 5
    day: date = DAY
    empty_folders: tuple[str, ...] = ()
    # The first cluster of each file and folder, known when the volume was written; "" is the root.
    clusters: dict[str, int] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        folders = {path[:at] for path in self.files for at, letter in enumerate(path) if letter == "/"}
        names = ["", *sorted(folders | set(self.empty_folders)), *sorted(self.files)]
        chains, at = {}, 2
        for name in names:
            count = self._count(name)
            chains[name], self.clusters[name] = range(at, at + count), at
            at += count
        used = at - 2
        data = b"".join(self._content(name, names).ljust(len(chains[name]) * SECTOR, b"\0") for name in names)
        table = [0x0FFFFFF8, END]
        for chain in filter(None, chains.values()):
            table += [*chain[1:], END]
        total = used + self.spare
        sectors = -(-(total + 2) * 4 // SECTOR)
        table_bytes = struct.pack(f"<{len(table)}I", *table).ljust(sectors * SECTOR, b"\0")
        return self._reserved(total, used, sectors) + table_bytes * 2 + data + bytes(self.spare * SECTOR)

    def table_offset(self, cluster: int) -> int:
        """Where the first table says what follows this cluster."""
        return RESERVED_SECTORS * SECTOR + 4 * cluster

    def offset(self, name: str) -> int:
        """Where a file or folder begins."""
        clusters = sum(map(self._count, self.clusters)) + self.spare
        return len(self.to_bytes()) - (clusters - self.clusters[name] + 2) * SECTOR

    def _count(self, name: str) -> int:
        """How many clusters a file has; a folder has one."""
        return -(-len(self.files[name]) // SECTOR) if name in self.files else 1

    def _reserved(self, total: int, used: int, table_sectors: int) -> bytes:
        sectors = RESERVED_SECTORS + 2 * table_sectors + total
        boot = struct.pack("<3s8sHBHBHHBHHHII", b"\xeb\x58\x90", b"mkfs.fat", SECTOR, 1, RESERVED_SECTORS, 2, 0, 0,
                           0xF8, 0, 32, 8, 0, sectors)  # fmt: skip
        boot += struct.pack("<IHHIHH12sBBBI11s8s420sH", table_sectors, 0, 0, 2, 1, 6, bytes(12), 0x80, 0, 0x29,
                            self.serial, b"ESP        ", b"FAT32   ", bytes(420), 0xAA55)  # fmt: skip
        result = bytearray(RESERVED_SECTORS * SECTOR)
        for start, free, last in ((0, total - used, used + 1), (6, total - 1, 2)):
            info = struct.pack("<I480sIII12sI", 0x41615252, b"", 0x61417272, free, last, b"", 0xAA550000)
            result[start * SECTOR : (start + 2) * SECTOR] = boot + info
        return bytes(result)

    def _content(self, name: str, names: list[str]) -> bytes:
        if name in self.files:
            return self.files[name]
        parent = name.rpartition("/")[0]
        entries = [] if name else [self._entry(b"ESP        ", 0x08, 0)]
        if name:
            above = self.clusters[parent] if parent else 0
            entries = [self._entry(b".          ", 0x10, self.clusters[name])]
            entries.append(self._entry(b"..         ", 0x10, above))
        children = [other for other in names if other and other.rpartition("/")[0] == name]
        for number, child in enumerate(children):
            last = child.rpartition("/")[2]
            short = f"FILE~{number}".ljust(11).encode()
            entries += [*long_name(last, short)]
            folder = child not in self.files
            size = 0 if folder else len(self.files[child])
            cluster = self.clusters[child] if folder or size else 0
            entries.append(self._entry(short, 0x10 if folder else 0x20, cluster, size))
        return b"".join(entries)

    def _entry(self, name: bytes, attributes: int, cluster: int, size: int = 0) -> bytes:
        day = (self.day.year - 1980) << 9 | self.day.month << 5 | self.day.day
        return struct.pack(
            "<11sBBBHHHHHHHI", name, attributes, 0, 0, 0, day, day, cluster >> 16, 0, day, cluster & 0xFFFF, size
        )


def long_name(name: str, short: bytes) -> list[bytes]:
    """The entries of a long name, as they stand before the short one."""
    total = 0
    for byte in short:
        total = ((total >> 1) | (total & 1) << 7) + byte & 0xFF
    units = name.encode("utf-16-le")
    if len(name) % 13:
        units += b"\0\0"
    parts = [units[at : at + 26].ljust(26, b"\xff") for at in range(0, len(units), 26)]
    entries = []
    for number, part in enumerate(parts, 1):
        order = number | (0x40 if number == len(parts) else 0)
        fields = (order, part[:10], 0x0F, 0, total, part[10:22], 0, part[22:])
        entries.append(struct.pack("<B10sBBB12sH4s", *fields))
    return entries[::-1]
