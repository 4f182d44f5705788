"""A model image: a small disk of its own in a file or partition, with a root, its hash tree, and who signed that.

    image = read_image(file, db)        raises ImageError, whose *problem* is one word
    verify(file, image, on_percent)     the same for a block that is not what the signed hash stands for

The kernel checks all of it once more when the image is mounted, and it alone decides. This tells a person why not.

Sources: UEFI 2.10, section 5.3 (GPT); the Discoverable Partitions Specification (types, signature); the kernel's
Documentation/admin-guide/device-mapper/verity.rst and cryptsetup's wiki, "DMVerity" (superblock and tree).
"""

import base64
import binascii
import hashlib
import json
import struct
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Literal

from claudine_state.signer import Signer, certificates, find_signer

Problem = Literal["unsigned", "foreign", "changed", "unreadable"]

ROOT = uuid.UUID("4f68bce3-e8cd-4db1-96e7-fbcaf984b709")
ROOT_VERITY = uuid.UUID("2c7357ed-ebd2-46d9-aec1-23d437ec2bf5")
ROOT_SIGNATURE = uuid.UUID("41092b05-9fc8-4523-994f-2def0408b176")

_SECTOR_BYTES = 512
# signature, revision, header size, its CRC, reserved, five places, disk GUID, entries: place, number, size, CRC.
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
# type, GUID, first and last sector.
_ENTRY = struct.Struct("<16s16sQQ")
_MOST_ENTRIES = 1024
_SIGNATURE_BYTES = 64 * 1024

# signature, version, hash type, UUID, algorithm, size of a data and of a hash block, data blocks, salt's size, salt.
_SUPERBLOCK = struct.Struct("<8sII16s32sIIQH6x256s")
_BLOCK_BYTES = 4096
_DIGESTS_PER_BLOCK = _BLOCK_BYTES // 32


class ImageError(Exception):
    """An image that is not used. ``str()`` is for the journal; what a person is told follows from *problem*."""

    def __init__(self, problem: Problem, reason: str) -> None:
        super().__init__(f"{problem}: {reason}")
        self.problem: Problem = problem


@dataclass(frozen=True)
class Extent:
    """A part of a file."""

    offset_bytes: int
    size_bytes: int


@dataclass(frozen=True)
class HashTree:
    """Digests of blocks, in blocks, in levels; *levels* begins with that of the data."""

    salt: bytes
    data_blocks: int
    levels: tuple[Extent, ...]


@dataclass(frozen=True)
class ModelImage:
    """An image whose root hash somebody has signed whom the firmware trusts."""

    root_hash: str
    signer: Signer
    root: Extent
    tree: HashTree


def read_image(file: IO[bytes], db: bytes) -> ModelImage:
    """Read all but the weights; *db* is the EFI variable. Raises ImageError, and OSError where the disk fails."""
    partitions = _read_partitions(file)
    if ROOT not in partitions or ROOT_VERITY not in partitions:
        raise ImageError("unreadable", "it has no root with a hash tree")
    if ROOT_SIGNATURE not in partitions:
        raise ImageError("unsigned", "it has no partition for a signature")
    root_hash, signer = _read_signature(_read(file, partitions[ROOT_SIGNATURE], _SIGNATURE_BYTES), db)
    tree = _read_tree(file, partitions[ROOT], partitions[ROOT_VERITY])
    if _digest(tree, _read(file, tree.levels[-1], _BLOCK_BYTES)).hex() != root_hash:
        raise ImageError("changed", "the hash tree is not the one that was signed")
    return ModelImage(root_hash, signer, partitions[ROOT], tree)


def verify(file: IO[bytes], image: ModelImage, on_percent: Callable[[int], None]) -> None:
    """Read every block, and compare it with the tree up to the signed hash, as the kernel would. Raises ImageError."""
    below = Extent(image.root.offset_bytes, image.tree.data_blocks * _BLOCK_BYTES)
    for level in image.tree.levels:
        for index in range(level.size_bytes // _BLOCK_BYTES):
            # The last block of a level may have fewer below it, and is filled up with zeros.
            start = index * _DIGESTS_PER_BLOCK * _BLOCK_BYTES
            part = Extent(below.offset_bytes + start, min(_DIGESTS_PER_BLOCK * _BLOCK_BYTES, below.size_bytes - start))
            blocks = _read(file, part, part.size_bytes)
            digests = b"".join(
                _digest(image.tree, blocks[at : at + _BLOCK_BYTES]) for at in range(0, len(blocks), _BLOCK_BYTES)
            )
            stored = _read(file, Extent(level.offset_bytes + index * _BLOCK_BYTES, _BLOCK_BYTES), _BLOCK_BYTES)
            if stored != digests.ljust(_BLOCK_BYTES, b"\0"):
                raise ImageError("changed", f"a block of the {part.size_bytes} bytes from {part.offset_bytes} on")
            if level is image.tree.levels[0]:
                on_percent(100 * (start + part.size_bytes) // below.size_bytes)
        below = level
    # The one block on top was compared with the signed hash when the image was read.


def _read_partitions(file: IO[bytes]) -> dict[uuid.UUID, Extent]:
    size_bytes = file.seek(0, 2)
    block = _read(file, Extent(_SECTOR_BYTES, _SECTOR_BYTES), _SECTOR_BYTES)
    if len(block) < _SECTOR_BYTES or not block.startswith(b"EFI PART"):
        raise ImageError("unreadable", "it has no partition table")
    header = _HEADER.unpack_from(block)
    header_bytes, header_crc, entries_at, number, entry_bytes, entries_crc = *header[2:4], *header[10:14]
    if not _HEADER.size <= header_bytes <= _SECTOR_BYTES or _crc(_without_crc(block[:header_bytes])) != header_crc:
        raise ImageError("changed", "the partition table's header has another checksum")
    if entries_at * _SECTOR_BYTES > size_bytes:
        raise ImageError("changed", "it ends too early")
    if number > _MOST_ENTRIES or not _ENTRY.size <= entry_bytes <= _SECTOR_BYTES:
        raise ImageError("unreadable", "the partition table has a shape that no model image has")
    entries = _read(file, Extent(entries_at * _SECTOR_BYTES, number * entry_bytes), number * entry_bytes)
    if _crc(entries) != entries_crc:
        raise ImageError("changed", "the partition table has another checksum")
    found = {}
    for at in range(0, len(entries), entry_bytes):
        kind, _, first, last = _ENTRY.unpack_from(entries, at)
        extent = Extent(first * _SECTOR_BYTES, (last - first + 1) * _SECTOR_BYTES)
        if any(kind):
            if first > last or extent.offset_bytes + extent.size_bytes > size_bytes:
                raise ImageError("changed", "it ends too early")
            found[uuid.UUID(bytes_le=kind)] = extent
    return found


def _read_signature(content: bytes, db: bytes) -> tuple[str, Signer]:
    try:
        document = json.loads(content.rstrip(b"\0") or b"{}")
        if not isinstance(document, dict) or not document.get("signature"):
            raise ImageError("unsigned", "the partition for the signature has none")
        root_hash, fingerprint = str(document["rootHash"]), str(document.get("certificateFingerprint"))
        signature = base64.b64decode(document["signature"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise ImageError("changed", "the partition for the signature has something else") from error
    if signer := find_signer(root_hash, signature, db):
        return root_hash, signer
    if any(hashlib.sha256(one).hexdigest() == fingerprint for one in certificates(db)):
        raise ImageError("changed", "the signature says that it is the owner's, and is not over this root hash")
    raise ImageError("foreign", f"the certificate {fingerprint[:64]!r} is none of the firmware's db")


def _read_tree(file: IO[bytes], root: Extent, area: Extent) -> HashTree:
    superblock = _read(file, area, _SUPERBLOCK.size)
    if len(superblock) < _SUPERBLOCK.size:
        raise ImageError("changed", "the hash tree is cut off")
    magic, version, kind, _, algorithm, data_bytes, hash_bytes, blocks, salt_bytes, salt = _SUPERBLOCK.unpack(
        superblock
    )
    shape = (magic, version, kind, algorithm.rstrip(b"\0"), data_bytes, hash_bytes)
    if shape != (b"verity\0\0", 1, 1, b"sha256", _BLOCK_BYTES, _BLOCK_BYTES) or salt_bytes > len(salt):
        raise ImageError("changed", "the hash tree is of a kind that no model image has")
    sizes = []
    count = blocks
    while count > 1:
        count = -(-count // _DIGESTS_PER_BLOCK)
        sizes.append(count * _BLOCK_BYTES)
    if not sizes or blocks * _BLOCK_BYTES > root.size_bytes or sum(sizes) + _BLOCK_BYTES > area.size_bytes:
        raise ImageError("changed", "the hash tree is not one of this root")
    # After the superblock's own block comes the top, and the level of the data comes last.
    levels, at = [], area.offset_bytes + _BLOCK_BYTES
    for size in reversed(sizes):
        levels.append(Extent(at, size))
        at += size
    return HashTree(salt[:salt_bytes], blocks, tuple(reversed(levels)))


def _digest(tree: HashTree, block: bytes) -> bytes:
    return hashlib.sha256(tree.salt + block).digest()


def _read(file: IO[bytes], extent: Extent, most_bytes: int) -> bytes:
    file.seek(extent.offset_bytes)
    return file.read(min(extent.size_bytes, most_bytes))


def _crc(data: bytes) -> int:
    return zlib.crc32(data)


def _without_crc(header: bytes) -> bytes:
    return header[:16] + bytes(4) + header[20:]
