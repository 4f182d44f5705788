"""Bytes that are somewhere inside an image, read in place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from builder.verify.formats.malformed import MalformedError

CHUNK_BYTES = 1 << 20


class Source(Protocol):
    """What can be read anywhere; a `builder.verify.disk.Disk` is one. `read` raises MalformedError past the end."""

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""

    def read(self, offset: int, size: int, /) -> bytes:
        """Return exactly these bytes."""


@dataclass(frozen=True)
class Extents:
    """Pieces of another source, one after the other: (offset, size) each."""

    source: Source
    pieces: tuple[tuple[int, int], ...]

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return sum(size for _, size in self.pieces)

    def read(self, offset: int, size: int, /) -> bytes:
        """Return exactly these bytes; MalformedError past the end."""
        if offset < 0 or size < 0 or offset + size > self.size_bytes:
            raise MalformedError(f"{size} bytes at {offset}, of {self.size_bytes}", offset)
        found = []
        for start, length in self.pieces:
            if size and offset < length:
                taken = min(size, length - offset)
                found.append(self.source.read(start + offset, taken))
                offset, size = offset + taken, size - taken
            offset = max(offset - length, 0)
        return b"".join(found)

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes."""
        for start, length in self.pieces:
            for offset in range(0, length, CHUNK_BYTES):
                yield self.source.read(start + offset, min(CHUNK_BYTES, length - offset))


def part(source: Source, offset: int, size: int) -> Extents:
    """Return a part of a source as one of its own."""
    return Extents(source, ((offset, size),))


@dataclass(frozen=True)
class Memory:
    """Bytes that are in memory."""

    data: bytes

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return len(self.data)

    def read(self, offset: int, size: int, /) -> bytes:
        """Return exactly these bytes; MalformedError past the end."""
        if offset < 0 or size < 0 or offset + size > len(self.data):
            raise MalformedError(f"{size} bytes at {offset}, of {len(self.data)}", offset)
        return self.data[offset : offset + size]

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes."""
        yield self.data
