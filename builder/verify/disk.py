"""Random access to an image that is only read: a file, a block device, or a part of either.

    with open_disk(Path("claudineos_0.1.0.raw")) as disk:
        esp = disk.partition(ESP)
        boot_sector = disk.part(esp).read(0, 512)

Offsets are in bytes from the beginning of this disk or part; `start` says where that is in the image, for a person.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from builder.errors import BuilderError
from builder.verify.formats.gpt import Partition, Table, read_table
from builder.verify.formats.malformed import MalformedError

# What is read at once; hashing gains nothing from more.
CHUNK_BYTES = 4 << 20


@dataclass(frozen=True)
class Disk:
    """A disk image or a part of it; any number of threads and processes may read it at the same time."""

    path: Path
    descriptor: int
    start: int
    size_bytes: int
    # A block device is longer than the image that was written to it, and holds what it held before.
    is_device: bool = False

    def read(self, offset: int, size: int) -> bytes:
        """Return exactly these bytes; MalformedError where the image has ended."""
        if offset < 0 or size < 0 or offset + size > self.size_bytes:
            raise MalformedError(f"the image ends before byte {self.start + offset + size}", offset)
        data = os.pread(self.descriptor, size, self.start + offset)
        while len(data) < size:
            more = os.pread(self.descriptor, size - len(data), self.start + offset + len(data))
            if not more:
                raise MalformedError(f"the image ends before byte {self.start + offset + size}", offset)
            data += more
        return data

    def chunks(self, offset: int, size: int) -> Iterator[bytes]:
        """Return these bytes in pieces of at most CHUNK_BYTES."""
        for at in range(offset, offset + size, CHUNK_BYTES):
            yield self.read(at, min(CHUNK_BYTES, offset + size - at))

    def first_nonzero(self, offset: int, size: int) -> int | None:
        """Return the offset of the first byte of these that is not zero. Holes of a file are not read."""
        end = offset + size
        if size > 0 and not 0 <= offset < end <= self.size_bytes:
            raise MalformedError(f"the image ends before byte {self.start + end}", offset)
        while offset < end and (offset := self._next_data(offset, end)) < end:
            chunk = self.read(offset, min(CHUNK_BYTES, end - offset))
            if chunk != bytes(len(chunk)):
                return offset + len(chunk) - len(chunk.lstrip(b"\0"))
            offset += len(chunk)
        return None

    def _next_data(self, offset: int, end: int) -> int:
        try:
            return min(end, os.lseek(self.descriptor, self.start + offset, os.SEEK_DATA) - self.start)
        except OSError as error:
            # Only holes up to the end of the file; or a device, which has none.
            return end if error.errno == errno.ENXIO else offset

    @cached_property
    def table(self) -> Table:
        """The partition table, by the copy at the beginning; MalformedError if there is none to go by."""
        return read_table(self.read)

    def partition(self, kind: str) -> Partition:
        """Return the one partition of this type (a GUID in lower case); MalformedError if there is none, or several."""
        found = [partition for partition in self.table.partitions if partition.type == kind]
        if len(found) != 1:
            raise MalformedError(f"{len(found)} partitions of type {kind} where one belongs", 0)
        return found[0]

    def part(self, partition: Partition) -> "Disk":
        """Return a partition as a disk of its own."""
        return Disk(self.path, self.descriptor, self.start + partition.offset_bytes, partition.size_bytes)


@contextmanager
def open_disk(path: Path) -> Iterator[Disk]:
    """Open a raw image or a block device for reading; BuilderError if it is neither, or cannot be read."""
    hint = "Name a disk image, for example build/qemu/out/claudineos_0.1.0.raw, or a disk"
    try:
        # Looked at first: opening a pipe would wait for somebody to write into it.
        if path.exists() and not (path.is_file() or path.is_block_device()):
            raise BuilderError(f"{path} is neither a file nor a disk", hint=hint)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise BuilderError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        yield Disk(path, descriptor, 0, size, path.is_block_device())
    finally:
        os.close(descriptor)
