"""Files in the top directory of an erofs file system that compresses nothing, which is what a model image has.

    size, spans = find_file(disk.read, "model.gguf")

Source: the kernel's Documentation/filesystems/erofs.rst, and fs/erofs/erofs_fs.h for the fields.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from builder.verify.formats.malformed import MalformedError

SUPERBLOCK_OFFSET = 1024
_MAGIC = 0xE0F5E1E2
# Magic, checksum, features, block size, slots, root, inodes, time, nanoseconds, blocks, metadata.
_SUPERBLOCK = struct.Struct("<IIIBBHQQIII")
_INCOMPATIBLE_OFFSET = 80

_COMPACT = struct.Struct("<HHHHIIIIHHI")
_EXTENDED = struct.Struct("<HHHHQI")
_EXTENDED_BYTES = 64
_SLOT_BYTES = 32
_DIRECTORY_ENTRY = struct.Struct("<QHBB")
_FLAT_PLAIN, _FLAT_INLINE = 0, 2
# A model image has five files.
_MAX_DIRECTORY_BYTES = 1 << 16

Read = Callable[[int, int], bytes]


@dataclass(frozen=True)
class File:
    """Where a file's bytes are: offsets and sizes from the start of the file system, in order."""

    size_bytes: int
    spans: tuple[tuple[int, int], ...]


def find_file(read: Read, name: str) -> File:
    """Return a regular file of the top directory. MalformedError if there is none, or it is stored in another way."""
    superblock = read(SUPERBLOCK_OFFSET, 128)
    fields = _SUPERBLOCK.unpack_from(superblock)
    magic, block_bits, root, metadata = fields[0], fields[3], fields[5], fields[10]
    if magic != _MAGIC or block_bits != 12:
        raise MalformedError("no erofs file system with blocks of 4 KiB", SUPERBLOCK_OFFSET)
    if any(superblock[_INCOMPATIBLE_OFFSET : _INCOMPATIBLE_OFFSET + 4]):
        raise MalformedError("an erofs file system with features beyond the first", SUPERBLOCK_OFFSET)
    inodes = metadata << block_bits
    directory = _inode(read, inodes, root, 1 << block_bits, 0o040000)
    if directory.size_bytes > _MAX_DIRECTORY_BYTES:
        raise MalformedError(f"a directory of {directory.size_bytes} bytes", inodes + root * _SLOT_BYTES)
    content = b"".join(read(offset, size) for offset, size in directory.spans)
    for at in range(0, len(content), 1 << block_bits):
        for entry, number in _entries(content[at : at + (1 << block_bits)]):
            if entry == name.encode():
                return _inode(read, inodes, number, 1 << block_bits, 0o100000)
    raise MalformedError(f"no file {name}", inodes + root * _SLOT_BYTES)


def _inode(read: Read, inodes: int, number: int, block_bytes: int, kind: int) -> File:
    offset = inodes + number * _SLOT_BYTES
    form, attributes, mode, _, size, _, address, *_ = _COMPACT.unpack(read(offset, _COMPACT.size))
    end = offset + _COMPACT.size
    if form & 1:
        form, attributes, mode, _, size, address = _EXTENDED.unpack_from(read(offset, _EXTENDED_BYTES))
        end = offset + _EXTENDED_BYTES
    layout = form >> 1 & 7
    if mode & 0o170000 != kind or layout not in (_FLAT_PLAIN, _FLAT_INLINE):
        raise MalformedError("a file of another kind, or stored in another way", offset)
    end += 12 + 4 * (attributes - 1) if attributes else 0
    tail = size % block_bytes if layout == _FLAT_INLINE else 0
    spans = ((address * block_bytes, size - tail), (end, tail))
    return File(size, tuple(span for span in spans if span[1]))


def _entries(block: bytes) -> Iterator[tuple[bytes, int]]:
    """Return the names in a block of a directory and the numbers of their inodes."""
    if len(block) < _DIRECTORY_ENTRY.size:
        return
    count = _DIRECTORY_ENTRY.unpack_from(block)[1] // _DIRECTORY_ENTRY.size
    if not 0 < count * _DIRECTORY_ENTRY.size <= len(block):
        return
    entries = [_DIRECTORY_ENTRY.unpack_from(block, at * _DIRECTORY_ENTRY.size) for at in range(count)]
    ends = [entry[1] for entry in entries[1:]] + [len(block)]
    for (number, start, _, _), end in zip(entries, ends, strict=True):
        yield block[start:end].rstrip(b"\0"), number
