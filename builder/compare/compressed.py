"""The compressed files of erofs: from the index of clusters to extents, and from an extent to its bytes.

The index has an entry for each logical cluster of 4 KiB. A cluster in which an extent begins is a head; it says where
in the cluster, and (directly, or by counting) at which block the compressed bytes are. All others belong to the head
before them; the first of these may say how many blocks the extent takes, otherwise it is one.

Two forms of the index are read: 8 bytes an entry, and the compact one with packs of 2 or 16 entries that share one
block address.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from builder.compare.source import Source
from builder.compare.zstd import decompress_frame
from builder.verify.formats.malformed import MalformedError

ZSTD = 3
MAX_STORED_BYTES = 1 << 20
MAX_UNFOLDED_BYTES = 12 << 20

PLAIN, HEAD, CONTINUED, SECOND_HEAD = 0, 1, 2, 3
BLOCK_COUNT = 1 << 11

ADVISE_COMPACT_2B = 0x01
ADVISE_BIG = 0x02
ADVISE_INTERLACED = 0x10
# Two sizes of clusters in one file, data packed into the tail, fragments: not written for us.
ADVISE_READABLE = ADVISE_COMPACT_2B | ADVISE_BIG | 0x04 | ADVISE_INTERLACED

_HEADER = struct.Struct("<4xHBB")
_INDEX_CHUNK = 1 << 16


@dataclass(frozen=True)
class Extent:
    """A run of a file's bytes: where they are in the file, and where in the image what they are unfolded from."""

    file_offset: int
    size_bytes: int
    stored_offset: int
    stored_bytes: int
    compressed: bool
    interlaced: bool


@dataclass(frozen=True)
class _Cluster:
    """An index entry: `value` is a head's offset in its cluster, or the count of blocks where `counts`."""

    kind: int
    value: int
    counts: bool
    block: int


def compressed_extents(
    source: Source, *, index_offset: int, compact: bool, size_bytes: int, block_bytes: int
) -> Iterator[Extent]:
    """Yield the extents of a compressed file in order. They cover it without gaps, or MalformedError is raised.

    `index_offset` is the end of the inode and its attributes.
    """
    place = -(-index_offset // 8) * 8
    advise, algorithms, cluster_bits = _HEADER.unpack(source.read(place, _HEADER.size))
    if advise & ~ADVISE_READABLE or cluster_bits or block_bytes != 4096 or algorithms & 0x0F != ZSTD:
        raise MalformedError(
            f"a file compressed with settings {advise:#x}, {algorithms:#x}, {cluster_bits:#x} is not read here", place
        )
    count = -(-size_bytes // block_bytes)
    if count * 2 > source.size_bytes:
        raise MalformedError(f"a compressed file of {size_bytes} bytes", place)
    after = place + _HEADER.size
    big = bool(advise & ADVISE_BIG)
    if compact:
        clusters = _compact(source, after, count, big=big, in_2b=bool(advise & ADVISE_COMPACT_2B))
    else:
        clusters = _full(source, after + 8, count)
    return _extents(clusters, size_bytes, block_bytes, place, interlaced=bool(advise & ADVISE_INTERLACED))


def unfold(extent: Extent, stored: bytes, block_bytes: int) -> bytes:
    """Return the bytes of an extent. MalformedError if they are not exactly as many as the index says."""
    if extent.compressed:
        found, _ = decompress_frame(stored.lstrip(b"\0"), extent.size_bytes)
    elif extent.interlaced:
        # The bytes keep their place in the block, and what does not fit goes to its beginning.
        turn = extent.file_offset % block_bytes
        found = (stored[turn:] + stored[:turn])[: extent.size_bytes]
    else:
        found = stored[: extent.size_bytes]
    if len(found) != extent.size_bytes:
        raise MalformedError(
            f"a cluster of {len(found)} bytes where {extent.size_bytes} are expected", extent.stored_offset
        )
    return found


def _extents(
    clusters: Iterator[_Cluster], size_bytes: int, block_bytes: int, place: int, *, interlaced: bool
) -> Iterator[Extent]:
    """Join clusters to extents: each ends where the next begins, and the last at the end of the file."""
    head: tuple[int, _Cluster] | None = None
    blocks = 1
    for number, cluster in enumerate(clusters):
        if cluster.kind == CONTINUED:
            if cluster.counts:
                blocks = cluster.value
            continue
        start = number * block_bytes + cluster.value
        if head is None and start:
            raise MalformedError("a compressed file that does not begin at its start", place)
        if head is not None:
            yield _extent(head, start, blocks, block_bytes, place, interlaced=interlaced)
        head, blocks = (start, cluster), 1
    if head is None:
        if size_bytes:
            raise MalformedError("a compressed file without a first cluster", place)
    elif head[0] != size_bytes:
        # A head at the very end begins nothing: it only says where the one before it ends.
        yield _extent(head, size_bytes, blocks, block_bytes, place, interlaced=interlaced)


def _extent(
    head: tuple[int, _Cluster], end: int, blocks: int, block_bytes: int, place: int, *, interlaced: bool
) -> Extent:
    start, cluster = head
    size, stored = end - start, blocks * block_bytes
    if not 0 < size <= MAX_UNFOLDED_BYTES or not 0 < stored <= MAX_STORED_BYTES:
        raise MalformedError(f"a cluster of {size} bytes in {stored}", place)
    offset = cluster.block * block_bytes
    return Extent(start, size, offset, stored, cluster.kind != PLAIN, interlaced and cluster.kind == PLAIN)


def _full(source: Source, place: int, count: int) -> Iterator[_Cluster]:
    for _, data in _pieces(source, place, count * 8):
        for advise, offset, low, high in struct.iter_unpack("<HHHH", data):
            kind = advise & 3
            if kind == CONTINUED:
                yield _Cluster(kind, low & ~BLOCK_COUNT, bool(low & BLOCK_COUNT), 0)
            else:
                yield _Cluster(kind, offset, False, low | high << 16)


def _compact(source: Source, place: int, count: int, *, big: bool, in_2b: bool) -> Iterator[_Cluster]:
    """Packs of two entries (8 bytes) up to the next 32 bytes, then packs of 16 (32 bytes), then of two again."""
    first = min((32 - place % 32) % 32 // 4, count)
    middle = (count - first) // 16 * 16 if in_2b else 0
    last = count - first - middle
    # A last pack that is half used is stored whole.
    yield from _packs(source, place, first, 2, big=big)
    place += first * 4
    yield from _packs(source, place, middle, 16, big=big)
    place += middle * 2
    yield from _packs(source, place, last, 2, big=big)


def _packs(source: Source, place: int, count: int, entries: int, *, big: bool) -> Iterator[_Cluster]:
    pack_bytes = 8 if entries == 2 else 32
    bits = (pack_bytes - 4) * 8 // entries
    left = count
    for _, data in _pieces(source, place, -(-count // entries) * pack_bytes):
        for start in range(0, len(data), pack_bytes):
            packed = int.from_bytes(data[start : start + pack_bytes - 4], "little")
            (block,) = struct.unpack_from("<I", data, start + pack_bytes - 4)
            values = [packed >> index * bits & ((1 << bits) - 1) for index in range(entries)]
            yield from _unpacked(values, block, big=big)[:left]
            left -= entries


def _unpacked(values: list[int], block: int, *, big: bool) -> list[_Cluster]:
    """Give each head of a pack its block: the pack's address, counted on by the blocks of the heads before."""
    found = []
    # Without big clusters, the address is that of the block before the pack's first one.
    block += 0 if big else 1
    after_head = False
    for value in values:
        kind, low = value >> 12 & 3, value & 0xFFF
        counts = kind == CONTINUED and bool(low & BLOCK_COUNT)
        if kind != CONTINUED:
            found.append(_Cluster(kind, low, False, block))
            block += 1
        elif counts:
            found.append(_Cluster(kind, low & ~BLOCK_COUNT, True, 0))
            block += (low & ~BLOCK_COUNT) - (1 if after_head else 0)
        else:
            found.append(_Cluster(kind, low, False, 0))
        after_head = kind != CONTINUED
    return found


def _pieces(source: Source, place: int, size: int) -> Iterator[tuple[int, bytes]]:
    for start in range(0, size, _INDEX_CHUNK):
        yield start, source.read(place + start, min(_INDEX_CHUNK, size - start))
