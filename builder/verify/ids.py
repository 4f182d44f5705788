"""The ids in an image, which all follow from its label: systemd-repart derives them from a seed, and we set the seed.

So nothing can be hidden in one, although no signature covers those outside the root. The root and its hash tree are
the exception: their ids are the two halves of the root hash.

Source: systemd 262, src/repart/repart.c (derive_uuid, partition_acquire_uuid, derive_salt).
"""

import hashlib
import hmac
from uuid import UUID, uuid5

from builder.model.ddi import SEED_NAMESPACE as MODEL_SEEDS
from builder.render.mkosi import SEED_NAMESPACE as SYSTEM_SEEDS


def system_seed(label: str) -> UUID:
    """Return the seed of the image with this label."""
    return uuid5(SYSTEM_SEEDS, label)


def model_seed(label: str) -> UUID:
    """Return the seed of the model image with this label (`<name>_<version>`)."""
    return uuid5(MODEL_SEEDS, label)


def disk_id(seed: UUID) -> str:
    """Return the GUID of the disk."""
    return str(_derive(seed, b"disk-uuid"))


def partition_id(seed: UUID, kind: str) -> str:
    """Return the GUID of the only partition of a type, if it does not follow from the root hash."""
    return str(_derive(seed, UUID(kind).bytes))


def file_system_id(seed: UUID, kind: str) -> UUID:
    """Return the id of the file system in the only partition of a type; FAT has the first four bytes of it."""
    return _derive(_derive(seed, UUID(kind).bytes), b"file-system-uuid")


def verity_id(seed: UUID) -> UUID:
    """Return the id in the superblock of the hash tree."""
    return _derive(seed, b"verity-uuid")


def verity_salt(seed: UUID) -> bytes:
    """Return the salt of the hash tree."""
    return _keyed(seed, b"verity-salt")


def _derive(base: UUID, token: bytes) -> UUID:
    return UUID(bytes=_keyed(base, token)[:16], version=4)


def _keyed(base: UUID, token: bytes) -> bytes:
    return hmac.new(base.bytes, token, hashlib.sha256).digest()
