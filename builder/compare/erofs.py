"""Reads erofs, the file system of the root and of model images, without mounting it.

    files = Erofs(source)
    for path, inode in files.walk():
        digest = sha256(files.chunks(inode))

What mkfs.erofs writes for us is read: flat and inlined files, and those compressed with zstd. All else (LZ4, LZMA,
fragments, deduplication, chunks, several devices) is refused. The image may be anybody's, so nothing is read outside of
it, no directory is entered twice, and a cluster never unfolds to more than the 12 MiB that the format allows.

Source: Linux, fs/erofs/erofs_fs.h and zmap.c; "Core on-disk format" in the documentation of EROFS. All integers are
little-endian.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from stat import S_ISDIR, S_ISLNK, S_ISREG

from builder.compare.compressed import Extent, compressed_extents, unfold
from builder.compare.source import Source
from builder.compare.xattrs import read_xattrs
from builder.verify.formats.malformed import MalformedError

SUPERBLOCK_OFFSET = 1024
MAGIC = 0xE0F5E1E2
SLOT_BYTES = 32
# feature_incompat: zero padding, compression configurations (with big clusters). All else would need more code here.
READABLE_FEATURES = 0x03
ZSTD = 3

MAX_ENTRIES = 1_000_000
MAX_NAME_BYTES = 255
MAX_DIRECTORY_BYTES = 64 << 20
CHUNK_BYTES = 1 << 20

FLAT, COMPRESSED_FULL, INLINE, COMPRESSED_COMPACT = 0, 1, 2, 3

_SUPERBLOCK = struct.Struct("<II4xBBHQQIIII32xIHH")
_COMPACT_INODE = struct.Struct("<HHHHI4xI4xHH4x")
_EXTENDED_INODE = struct.Struct("<HHH2xQI4xIIQII16x")
_DIRENT = struct.Struct("<QHBx")


@dataclass(frozen=True)
class Inode:
    """A file's facts. `mode` has its type (inode(7)); `mtime_s` is in seconds since 1970; `number` is the format's nid.

    `union` is the field that means something else for each layout: a block address, or a device's number.
    """

    number: int
    mode: int
    uid: int
    gid: int
    size_bytes: int
    mtime_s: int
    links: int
    layout: int
    union: int
    xattrs: tuple[tuple[str, bytes], ...]
    # Where what follows the inode begins: inlined data, or the index of compressed clusters.
    tail_offset: int


class Erofs:
    """A file system in `source`. MalformedError if it is none, or one that is not read here."""

    def __init__(self, source: Source) -> None:
        self._source = source
        fields = _SUPERBLOCK.unpack(source.read(SUPERBLOCK_OFFSET, _SUPERBLOCK.size))
        magic, _, block_bits, _, root, _, self._built_s, _, _, metadata, xattrs = fields[:11]
        features, algorithms, devices = fields[11:]
        if magic != MAGIC:
            raise MalformedError("this is no erofs file system", SUPERBLOCK_OFFSET)
        if not 9 <= block_bits <= 16:
            raise MalformedError(f"blocks of 2^{block_bits} bytes", SUPERBLOCK_OFFSET)
        if features & ~READABLE_FEATURES or devices or (features and algorithms & ~(1 << ZSTD)):
            raise MalformedError(
                f"an erofs with features {features:#x} and compression {algorithms:#x} is not read here",
                SUPERBLOCK_OFFSET,
            )
        self.block_bytes = 1 << block_bits
        self._root = root
        self._metadata: int = metadata * self.block_bytes
        self._xattrs = xattrs * self.block_bytes

    def walk(self) -> Iterator[tuple[str, Inode]]:
        """Yield each path (`/` first, then `/usr`, …) with its inode, directories before what is in them."""
        pending = [("/", self._inode(self._root))]
        entered = set()
        found = 0
        while pending:
            path, inode = pending.pop()
            yield path, inode
            if not S_ISDIR(inode.mode):
                continue
            if inode.number in entered:
                raise MalformedError(f"the directory {path} is inside itself", self._place(inode.number))
            entered.add(inode.number)
            names = sorted(self._names(inode), reverse=True)
            found += len(names)
            if found > MAX_ENTRIES:
                raise MalformedError(f"more than {MAX_ENTRIES} files", SUPERBLOCK_OFFSET)
            pending += [(f"{path.rstrip('/')}/{name}", self._inode(number)) for name, number in names]

    def chunks(self, inode: Inode) -> Iterator[bytes]:
        """Yield the content of a file, directory or link, in pieces of at most 12 MiB."""
        if inode.layout in (COMPRESSED_FULL, COMPRESSED_COMPACT):
            for extent in self._extents(inode):
                stored = self._source.read(extent.stored_offset, extent.stored_bytes)
                yield unfold(extent, stored, self.block_bytes)
            return
        inlined = inode.size_bytes % self.block_bytes if inode.layout == INLINE else 0
        offset, left = inode.union * self.block_bytes, inode.size_bytes - inlined
        while left:
            piece = self._source.read(offset, min(left, CHUNK_BYTES))
            yield piece
            offset, left = offset + len(piece), left - len(piece)
        if inlined:
            yield self._source.read(inode.tail_offset, inlined)

    def content(self, inode: Inode, limit_bytes: int) -> bytes:
        """Return the whole content; MalformedError if it is longer than `limit_bytes`."""
        if inode.size_bytes > limit_bytes:
            raise MalformedError(f"a file of {inode.size_bytes} bytes", self._place(inode.number))
        return b"".join(self.chunks(inode))

    def _place(self, number: int) -> int:
        return self._metadata + number * SLOT_BYTES

    def _inode(self, number: int) -> Inode:
        place = self._place(number)
        (form,) = struct.unpack("<H", self._source.read(place, 2))
        kind = _EXTENDED_INODE if form & 1 else _COMPACT_INODE
        fields = kind.unpack(self._source.read(place, kind.size))
        if form & 1:
            _, slots, mode, size, union, uid, gid, mtime, _, links = fields
        else:
            _, slots, mode, links, size, union, uid, gid = fields
            mtime = self._built_s
        layout = form >> 1 & 7
        if form >> 4 or layout > COMPRESSED_COMPACT:
            raise MalformedError(f"an inode of format {form:#x} is not read here", place)
        if not (S_ISDIR(mode) or S_ISREG(mode) or S_ISLNK(mode)) and size:
            raise MalformedError("a device, socket or pipe with content", place)
        after = place + kind.size
        xattrs, xattrs_bytes = read_xattrs(self._source, after, slots, self._xattrs) if slots else ((), 0)
        return Inode(number, mode, uid, gid, size, mtime, links, layout, union, xattrs, after + xattrs_bytes)

    def _extents(self, inode: Inode) -> Iterator[Extent]:
        return compressed_extents(
            self._source,
            index_offset=inode.tail_offset,
            compact=inode.layout == COMPRESSED_COMPACT,
            size_bytes=inode.size_bytes,
            block_bytes=self.block_bytes,
        )

    def _names(self, directory: Inode) -> Iterator[tuple[str, int]]:
        """Yield the names in a directory and their inodes' numbers, without the directory itself and its parent."""
        content = self.content(directory, MAX_DIRECTORY_BYTES)
        place = self._place(directory.number)
        for start in range(0, len(content), self.block_bytes):
            block = content[start : start + self.block_bytes]
            yield from (entry for entry in _dirents(block, place) if entry[0] not in (".", ".."))


def _dirents(block: bytes, place: int) -> Iterator[tuple[str, int]]:
    """Read one block of a directory: entries of a fixed size, then the names, whose first begins where they end."""
    if len(block) < _DIRENT.size:
        raise MalformedError("a directory is cut short", place)
    names_offset = _DIRENT.unpack_from(block)[1]
    count, odd = divmod(names_offset, _DIRENT.size)
    if odd or not count or names_offset >= len(block):
        raise MalformedError("a directory with impossible offsets", place)
    entries = [_DIRENT.unpack_from(block, index * _DIRENT.size) for index in range(count)]
    ends = [*(entry[1] for entry in entries[1:]), len(block)]
    for (number, start, _), end in zip(entries, ends, strict=True):
        name = block[start:end].rstrip(b"\0")
        if not 0 < len(name) <= MAX_NAME_BYTES or not names_offset <= start < end <= len(block):
            raise MalformedError("a directory entry without a proper name", place)
        if b"/" in name or b"\0" in name:
            raise MalformedError(f"the file name {name!r}", place)
        yield name.decode("utf-8", "surrogateescape"), number
