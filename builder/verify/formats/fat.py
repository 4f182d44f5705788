"""FAT32, as strictly as mkfs.fat and mtools write it on an empty partition.

    volume = read_volume(esp.read, esp.size_bytes)
    volume.files["loader/loader.conf"].read(0, 100)

A machine's firmware is more forgiving, and reads what is refused here: two tables that differ, deleted names, clusters
that two files share. Nothing of that is in an image that was just made, and each is a place to hide something in. Where
nothing belongs (`Volume.unused`), there should be zeros; the caller looks.

Source: Microsoft's "FAT32 File System Specification" 1.03; Microsoft's "Long Filename Specification" 0.5.
"""

import array
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from builder.verify.formats.fat_directory import Entry, list_directory
from builder.verify.formats.gpt import Read
from builder.verify.formats.malformed import MalformedError

# Four times what the largest of our volumes needs: 16 GiB in clusters of 4 KiB.
MAX_TABLE_BYTES = 4 << 20
MAX_ENTRIES = 1024
# On an empty volume, a file is written in one piece.
MAX_PIECES = 16
# A directory of this size holds a thousand files with long names.
MAX_DIRECTORY_BYTES = 128 << 10

ROOT_CLUSTER = 2
_MASK = 0x0FFFFFFF
_END_OF_CHAIN = 0x0FFFFFF8

_SECTOR_BYTES = (512, 1024, 2048, 4096)
_SECTORS_PER_CLUSTER = (1, 2, 4, 8, 16, 32, 64, 128)

_BOOT_SECTOR = struct.Struct("<3s8sHBHBHHBHHHIIIHHIHH12sBBBI11s8s420sH")
_INFO_SECTOR = struct.Struct("<I480sIII12sI")
_INFO_SIGNATURES = (0x41615252, 0x61417272, 0xAA550000)
_INFO_SECTOR_NUMBER = 1
_HINT_AT = 492
_BACKUP_SECTOR_NUMBER = 6


class _BootSector(NamedTuple):
    """The first sector, in the order of its fields."""

    jump: bytes
    maker: bytes
    sector_bytes: int
    per_cluster: int
    reserved: int
    tables: int
    root_entries: int
    sectors16: int
    media: int
    table_sectors16: int
    sectors_per_track: int
    heads: int
    hidden: int
    sectors: int
    table_sectors: int
    flags: int
    version: int
    root_cluster: int
    info_sector: int
    backup_sector: int
    zeros: bytes
    drive: int
    reserved_byte: int
    signature: int
    serial: int
    label: bytes
    kind: bytes
    boot_code: bytes
    end_signature: int

    @property
    def is_of_mkfs(self) -> bool:
        """Whether all fields that are the same in each volume have the values that mkfs.fat writes."""
        return self == self._replace(
            jump=b"\xeb\x58\x90",
            maker=b"mkfs.fat",
            tables=2,
            root_entries=0,
            sectors16=0,
            media=0xF8,
            table_sectors16=0,
            hidden=0,
            flags=0,
            version=0,
            root_cluster=ROOT_CLUSTER,
            info_sector=_INFO_SECTOR_NUMBER,
            backup_sector=_BACKUP_SECTOR_NUMBER,
            zeros=bytes(12),
            drive=0x80,
            reserved_byte=0,
            signature=0x29,
            kind=b"FAT32   ",
            end_signature=0xAA55,
        )


@dataclass(frozen=True)
class Extent:
    """Bytes that lie side by side; the offset is from the start of the volume."""

    offset_bytes: int
    size_bytes: int


@dataclass(frozen=True)
class File:
    """A file; its path has no leading slash. `entry_offset` is where the directory names it, in the volume."""

    path: str
    size_bytes: int
    extents: tuple[Extent, ...]
    entry_offset: int
    _read: Read

    def read(self, offset: int, size: int) -> bytes:
        """Return exactly these bytes; MalformedError where the file has ended."""
        if offset < 0 or size < 0 or offset + size > self.size_bytes:
            raise MalformedError(f"{self.path} ends before its byte {offset + size}", self.entry_offset)
        return b"".join(self._read(part.offset_bytes, part.size_bytes) for part in self.parts(offset, size))

    def position(self, offset: int) -> int:
        """Return where a byte of the file is in the volume."""
        return next((part.offset_bytes for part in self.parts(offset, 1)), self.entry_offset)

    def parts(self, offset: int, size: int) -> Iterator[Extent]:
        """Return where these bytes are in the volume."""
        for extent in self.extents:
            taken = max(0, min(extent.size_bytes - offset, size))
            if taken:
                yield Extent(extent.offset_bytes + offset, taken)
            offset = max(0, offset - extent.size_bytes)
            size -= taken


@dataclass(frozen=True)
class Volume:
    """All that is in a volume.

    `moments` are the different times that are said of each file and folder ("" is the root), in the clock of who wrote
    them. `boot_code` is what a BIOS would run of the first sector; `serial` is the volume's number. `traces` are
    offsets at which a firmware that has written to the volume leaves it otherwise than mtools.
    """

    files: Mapping[str, File]
    directories: frozenset[str]
    moments: Mapping[str, frozenset[datetime]]
    serial: int
    boot_code: bytes
    unused: tuple[Extent, ...]
    traces: tuple[int, ...]


@dataclass(frozen=True)
class _Geometry:
    """Where things are, in bytes; `clusters` counts them, and the first has the number 2."""

    sector: int
    cluster: int
    reserved: int
    table: int
    clusters: int
    end: int
    boot: _BootSector

    @property
    def data(self) -> int:
        return self.reserved + 2 * self.table

    def offset(self, cluster: int) -> int:
        return self.data + (cluster - ROOT_CLUSTER) * self.cluster


def read_volume(read: Read, size_bytes: int) -> Volume:
    """Read a volume's tables and directories, and none of the files."""
    geometry = _read_boot_sectors(read, size_bytes)
    chains = _Chains(read, geometry)
    files: dict[str, File] = {}
    directories: set[str] = set()
    moments: dict[str, frozenset[datetime]] = {"": frozenset()}
    traces: list[int] = []
    slack: list[Extent] = []
    queue: list[tuple[str, int, int | None]] = [("", ROOT_CLUSTER, None)]
    for path, cluster, parent in queue:
        directory = _directory(read, chains, path, cluster)
        listing = list_directory(directory, cluster, parent)
        moments[path] |= listing.moments
        slack += directory.parts(listing.used_bytes, directory.size_bytes - listing.used_bytes)
        for entry in listing.entries:
            whole = f"{path}/{entry.name}".lstrip("/")
            if whole in files or whole in directories or len(files) + len(directories) >= MAX_ENTRIES:
                raise MalformedError(f"the name {whole} twice, or too many names", entry.offset)
            moments[whole] = entry.moments
            traces += [entry.offset] if entry.is_marked else []
            if entry.is_directory:
                directories.add(whole)
                queue.append((whole, entry.cluster, 0 if parent is None else cluster))
            else:
                files[whole] = file = _file(read, chains, whole, entry)
                slack += chains.behind(file)
    traces += chains.check_all_followed()
    return Volume(
        files=files,
        directories=frozenset(directories),
        moments=moments,
        serial=geometry.boot.serial,
        boot_code=geometry.boot.boot_code,
        unused=(*_reserved(geometry), *slack, *chains.free(), Extent(geometry.end, size_bytes - geometry.end)),
        traces=tuple(traces),
    )


def _directory(read: Read, chains: "_Chains", path: str, cluster: int) -> File:
    extents = chains.follow(cluster, chains.geometry.reserved)
    length = sum(extent.size_bytes for extent in extents)
    if length > MAX_DIRECTORY_BYTES:
        raise MalformedError(f"the directory /{path} has {length} bytes", extents[0].offset_bytes)
    return File(path, length, extents, extents[0].offset_bytes, read)


def _file(read: Read, chains: "_Chains", path: str, entry: Entry) -> File:
    extents = chains.follow(entry.cluster, entry.offset) if entry.size_bytes else ()
    allocated = sum(extent.size_bytes for extent in extents)
    if not allocated - chains.geometry.cluster < entry.size_bytes <= allocated and entry.size_bytes:
        raise MalformedError(f"{path} has {entry.size_bytes} bytes in {allocated}", entry.offset)
    if not entry.size_bytes and entry.cluster:
        raise MalformedError(f"{path} is empty and has clusters", entry.offset)
    return File(path, entry.size_bytes, extents, entry.offset, read)


def _read_boot_sectors(read: Read, size_bytes: int) -> _Geometry:
    if size_bytes < _BOOT_SECTOR.size:
        raise MalformedError("a partition too small for FAT32", 0)
    data = read(0, _BOOT_SECTOR.size)
    boot = _BootSector._make(_BOOT_SECTOR.unpack(data))
    if not boot.is_of_mkfs:
        raise MalformedError("no boot sector of mkfs.fat for FAT32", 0)
    sector, table = boot.sector_bytes, boot.table_sectors * boot.sector_bytes
    if sector not in _SECTOR_BYTES or boot.per_cluster not in _SECTORS_PER_CLUSTER or boot.reserved < 8:
        raise MalformedError(f"sectors of {sector} bytes, {boot.per_cluster} in a cluster", 11)
    if not 0 < table <= MAX_TABLE_BYTES or boot.sectors * sector > size_bytes:
        raise MalformedError(f"a volume of {boot.sectors} sectors with tables of {table} bytes", 32)
    clusters = (boot.sectors - boot.reserved - 2 * boot.table_sectors) // boot.per_cluster
    # One table entry of four bytes a cluster, and two more.
    if not 0 < clusters <= table // 4 - 2:
        raise MalformedError(f"{clusters} clusters in tables of {table} bytes", 36)
    if read(_BACKUP_SECTOR_NUMBER * sector, len(data)) != data:
        raise MalformedError("the copy of the boot sector is different", _BACKUP_SECTOR_NUMBER * sector)
    end = boot.sectors * sector
    return _Geometry(sector, sector * boot.per_cluster, boot.reserved * sector, table, clusters, end, boot)


def _reserved(geometry: _Geometry) -> Iterator[Extent]:
    """Say what is unused in front of the tables: all but two boot sectors and two sectors of information."""
    written = {0, _INFO_SECTOR_NUMBER, _BACKUP_SECTOR_NUMBER, _BACKUP_SECTOR_NUMBER + _INFO_SECTOR_NUMBER}
    for number in range(geometry.reserved // geometry.sector):
        used = _BOOT_SECTOR.size if number in written else 0
        yield Extent(number * geometry.sector + used, geometry.sector - used)


class _Chains:
    """The two tables, which must be equal, and which clusters something was found to be in."""

    def __init__(self, read: Read, geometry: _Geometry) -> None:
        self.geometry = geometry
        self._read = read
        data = read(geometry.reserved, geometry.table)
        if data != read(geometry.reserved + geometry.table, geometry.table):
            raise MalformedError("the two allocation tables differ", geometry.reserved)
        self._next = array.array("I", data)
        if sys.byteorder == "big":
            self._next.byteswap()
        if self._next[0] != 0x0FFFFFF8 or self._next[1] != 0x0FFFFFFF or any(self._next[geometry.clusters + 2 :]):
            raise MalformedError("something in the table that is no cluster", geometry.reserved)
        self._followed = bytearray(geometry.clusters + 2)

    def follow(self, cluster: int, named_at: int) -> tuple[Extent, ...]:
        """Return the bytes of a chain that begins with this cluster; each may be in one chain, and once."""
        extents: list[Extent] = []
        size = self.geometry.cluster
        while True:
            if not 2 <= cluster < len(self._followed):
                raise MalformedError(f"a chain of clusters leads to number {cluster}", named_at)
            if self._followed[cluster]:
                raise MalformedError(f"cluster {cluster} is in two chains, or twice in one", named_at)
            self._followed[cluster] = 1
            offset = self.geometry.offset(cluster)
            if extents and extents[-1].offset_bytes + extents[-1].size_bytes == offset:
                extents[-1] = Extent(extents[-1].offset_bytes, extents[-1].size_bytes + size)
            else:
                extents.append(Extent(offset, size))
            if len(extents) > MAX_PIECES:
                raise MalformedError("a file in too many pieces", named_at)
            cluster = self._next[cluster]
            if cluster & _MASK >= _END_OF_CHAIN and cluster <= _MASK:
                return tuple(extents)

    def behind(self, file: File) -> Iterator[Extent]:
        """Return what is left of a file's last cluster."""
        allocated = sum(extent.size_bytes for extent in file.extents)
        if allocated > file.size_bytes:
            last = file.extents[-1]
            left = allocated - file.size_bytes
            yield Extent(last.offset_bytes + last.size_bytes - left, left)

    def check_all_followed(self) -> list[int]:
        """Refuse clusters that are taken and belong to nothing, and a count of free ones that is wrong.

        Returns where there is a trace of a firmware that has written to the volume.
        """
        for cluster in range(ROOT_CLUSTER, len(self._followed)):
            if self._next[cluster] and not self._followed[cluster]:
                offset = self.geometry.reserved + 4 * cluster
                raise MalformedError(f"cluster {cluster} is taken, and belongs to no file", offset)
        free = self._followed.count(0) - ROOT_CLUSTER
        last = self._followed.rfind(1)
        # The copy has what was true before anything was written.
        self._check_information(_BACKUP_SECTOR_NUMBER + _INFO_SECTOR_NUMBER, self.geometry.clusters - 1, ROOT_CLUSTER)
        # Where to look for a free cluster: mtools leaves the last one that it took, a firmware the one behind it.
        hint = self._check_information(_INFO_SECTOR_NUMBER, free, last, last + 1)
        return [_INFO_SECTOR_NUMBER * self.geometry.sector + _HINT_AT] if hint != last else []

    def _check_information(self, number: int, free: int, *hints: int) -> int:
        offset = number * self.geometry.sector
        first, zeros, second, counted, hint, more_zeros, third = _INFO_SECTOR.unpack(
            self._read(offset, _INFO_SECTOR.size)
        )
        if (first, second, third) != _INFO_SIGNATURES or any(zeros) or any(more_zeros):
            raise MalformedError("the sector of file system information is none", offset)
        if counted != free or hint not in hints:
            raise MalformedError(f"{counted} free clusters counted where there are {free}", offset + _HINT_AT - 4)
        return int(hint)

    def free(self) -> Iterator[Extent]:
        """Return the bytes of the clusters that nothing is in, and those too few for a cluster at the end."""
        taken = self._followed + b"\x01"
        start = taken.find(0, ROOT_CLUSTER)
        while start >= 0:
            end = taken.find(1, start)
            yield Extent(self.geometry.offset(start), (end - start) * self.geometry.cluster)
            start = taken.find(0, end)
        end_of_clusters = self.geometry.offset(self.geometry.clusters + ROOT_CLUSTER)
        yield Extent(end_of_clusters, self.geometry.end - end_of_clusters)
