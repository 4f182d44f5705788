"""The hash tree of dm-verity, as systemd-repart writes it: SHA-256, blocks of 4 KiB, the salt first.

A partition has the superblock in its first block and then the tree, the top first. Each block of a level holds the
hashes of 128 blocks of the level below, the last one filled up with zeroes.

Source: the kernel's Documentation/admin-guide/device-mapper/verity.rst; cryptsetup, lib/verity/verity.c (superblock).
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from builder.verify.formats.malformed import MalformedError

BLOCK_BYTES = 4096
DIGEST_BYTES = 32
HASHES_PER_BLOCK = BLOCK_BYTES // DIGEST_BYTES

_SUPERBLOCK = struct.Struct("<8sII16s32sIIQH6s256s168s")
# One TiB: far more than any image has.
_MAX_BLOCKS = 1 << 28


@dataclass(frozen=True)
class Superblock:
    """What the superblock says that is not the same in every one of ours."""

    id: UUID
    data_blocks: int
    salt: bytes


@dataclass(frozen=True)
class Level:
    """A level of the tree: where its first block is in the partition, in blocks, and how many it has."""

    start: int
    blocks: int


def read_superblock(block: bytes) -> Superblock:
    """Read the superblock from the partition's first block."""
    if len(block) != BLOCK_BYTES:
        raise MalformedError("a hash tree without a superblock", 0)
    # fmt: off
    (
        signature, version, kind, identity, algorithm, data_block, hash_block,
        data_blocks, salt_bytes, reserved, salt, rest,
    ) = _SUPERBLOCK.unpack_from(block)
    # fmt: on
    if signature != b"verity\0\0":
        raise MalformedError("no superblock of a hash tree", 0)
    if (version, kind, algorithm.rstrip(b"\0")) != (1, 1, b"sha256"):
        raise MalformedError("a hash tree of another kind than version 1 with SHA-256", 8)
    if (data_block, hash_block) != (BLOCK_BYTES, BLOCK_BYTES):
        raise MalformedError(f"a hash tree with blocks of {data_block} and {hash_block} bytes", 64)
    if not 1 < data_blocks <= _MAX_BLOCKS:
        raise MalformedError(f"a hash tree over {data_blocks} blocks", 72)
    if salt_bytes > 256:
        raise MalformedError(f"a salt of {salt_bytes} bytes", 80)
    if any(reserved) or any(salt[salt_bytes:]) or any(rest) or any(block[_SUPERBLOCK.size :]):
        raise MalformedError("something in the reserved bytes of the superblock", 82)
    return Superblock(UUID(bytes=identity), data_blocks, salt[:salt_bytes])


def levels(data_blocks: int) -> tuple[Level, ...]:
    """Return the levels of a tree over so many blocks, the lowest first; the last one has a single block."""
    counts = []
    while data_blocks > 1:
        data_blocks = -(-data_blocks // HASHES_PER_BLOCK)
        counts.append(data_blocks)
    start = 1 + sum(counts)
    found = []
    for blocks in counts:
        start -= blocks
        found.append(Level(start, blocks))
    return tuple(found)


def hashes(blocks: bytes, salt: bytes) -> bytes:
    """Return the hashes of these blocks, filled up with zeroes to whole blocks of the level above."""
    salted = hashlib.sha256(salt)
    digests = []
    view = memoryview(blocks)
    for at in range(0, len(blocks), BLOCK_BYTES):
        # A copy of a started hash is cheaper than joining salt and block.
        block = salted.copy()
        block.update(view[at : at + BLOCK_BYTES])
        digests.append(block.digest())
    joined = b"".join(digests)
    return joined.ljust(-(-len(joined) // BLOCK_BYTES) * BLOCK_BYTES, b"\0")


def differing(found: bytes, expected: bytes, size: int) -> Iterator[int]:
    """Return which pieces of this size differ, counted from 0."""
    if found != expected:
        for at in range(0, max(len(found), len(expected)), size):
            if found[at : at + size] != expected[at : at + size]:
                yield at // size
