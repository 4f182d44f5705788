"""The image that a machine boots: which file it is, and whether it can be one at all.

The checks are cheap on purpose, a few sectors: they are for the path that names a checksum file, a profile, or half
a download. What is *in* the image is judged by the firmware and the kernel when it boots.
"""

import hashlib
import json
import struct
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from builder.errors import BuilderError
from builder.run import run
from builder.toolchain import Toolchain

SECTOR_BYTES = 512
EFI_SYSTEM_PARTITION = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
# systemd-boot enrols these on a machine in setup mode (systemd-boot(7), "secure-boot-enroll").
ENROLLED_KEYS = ("PK.auth", "KEK.auth", "db.auth")


@dataclass(frozen=True)
class DiskImage:
    """A raw GPT disk image; the numbers tell one build from the next under the same path."""

    path: Path
    size_bytes: int
    mtime_ns: int


def open_disk_image(path: Path) -> DiskImage:
    """Check that `path` is a whole raw GPT disk image; a BuilderError says what it is instead."""
    hint = "Build one with `claudineos build`, or name one, for example build/qemu/out/claudineos_0.1.0.raw"
    if path.is_dir():
        raise BuilderError(f"{path} is a directory, not a disk image", hint=hint)
    if not path.exists():
        raise BuilderError(f"there is no image {path}", hint=hint)
    try:
        status = path.stat()
        with path.open("rb") as image:
            sectors = image.read(2 * SECTOR_BYTES)
    except OSError as error:
        raise BuilderError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    header = sectors[SECTOR_BYTES:]
    if not header.startswith(b"EFI PART"):
        raise BuilderError(f"{path} is not a raw disk image: it has no GPT partition table", hint=hint)
    if len(header) < SECTOR_BYTES or status.st_size < _disk_bytes(header):
        whole = _disk_bytes(header) if len(header) >= 40 else 0
        raise BuilderError(
            f"{path} is cut short: it has {status.st_size:,} bytes of the {whole:,} that its partition table covers",
            hint="Copy or build it again",
        )
    return DiskImage(path.resolve(), status.st_size, status.st_mtime_ns)


def _disk_bytes(header: bytes) -> int:
    """Return how long the disk is by its header: the backup header is in its last sector (UEFI 2.11, 5.3.2)."""
    return int(struct.unpack_from("<Q", header, 32)[0] + 1) * SECTOR_BYTES


def latest_image(out: Path) -> Path:
    """Return the image that a build left in `out` (its `build.json` names it; else the one raw file there)."""
    nothing = BuilderError(
        f"there is no built image in {out}",
        hint="Build one with `claudineos build`, or name one, for example build/qemu/out/claudineos_0.1.0.raw",
    )
    try:
        named = json.loads((out / "build.json").read_text())["image"]
    except (OSError, ValueError, KeyError, TypeError):
        named = None
    if isinstance(named, str):
        return out / named
    images = sorted(out.glob("*.raw"))
    if len(images) > 1:
        names = ", ".join(image.name for image in images)
        raise BuilderError(f"{out} has more than one image: {names}", hint="Name the one you mean")
    if not images:
        raise nothing
    return images[0]


def efi_partition_offset(path: Path) -> int | None:
    """Return where the EFI system partition begins, in bytes; None if there is none."""
    with path.open("rb") as image:
        image.seek(SECTOR_BYTES)
        header = image.read(SECTOR_BYTES)
        if not header.startswith(b"EFI PART"):
            return None
        first_entry, count, entry_bytes = struct.unpack_from("<QII", header, 72)
        image.seek(first_entry * SECTOR_BYTES)
        table = image.read(min(count, 1024) * entry_bytes)
    for start in range(0, len(table) - 40, entry_bytes):
        if table[start : start + 16] == EFI_SYSTEM_PARTITION.bytes_le:
            return int(struct.unpack_from("<Q", table, start + 32)[0]) * SECTOR_BYTES
    return None


def enrolled_keys(toolchain: Toolchain, image: DiskImage) -> str:
    """Return a digest of the Secure Boot keys that the image enrols, "" where it has none to enrol."""
    offset = efi_partition_offset(image.path)
    if offset is None:
        return ""
    with tempfile.TemporaryDirectory(prefix="claudineos-keys-") as place:
        files = [f"::/loader/keys/auto/{name}" for name in ENROLLED_KEYS]
        copy = ["mcopy", "-n", "-i", f"{image.path}@@{offset}", *files, place]
        if run(toolchain.box(copy), check=False, timeout_s=60).returncode != 0:
            return ""
        content = b"".join((Path(place) / name).read_bytes() for name in ENROLLED_KEYS)
    return hashlib.sha256(content).hexdigest()
