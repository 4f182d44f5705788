"""What a firmware starts, in small: an EFI system partition with all its files, and the record of the build."""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from builder.keys import authvar
from builder.keys.microsoft import microsoft_certificates
from builder.verify import ids
from builder.verify.layout import ESP, ROOT, STATE, VERITY
from tests.support.model_image import Owner
from tests.support.tiny_disk import SECTOR, TinyDisk
from tests.support.tiny_fat import DAY, TinyFat
from tests.support.tiny_program import TinyKernel, boot_loader, signed

LOADERS = ("EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi")
MENU = "# No editor.\ntimeout 0\neditor no\nauto-entries no\nauto-firmware no\nsecure-boot-enroll manual\n"
FIRMWARE_OWNER = uuid.UUID(int=0x1234)


@dataclass
class TinyBoot:
    """The partition's content. `changed` are files that are added, take the place of others or (None) are not there."""

    owner: Owner
    kernel: TinyKernel
    changed: dict[str, bytes | None] = field(default_factory=dict)
    microsoft: bool = False

    @property
    def kernel_path(self) -> str:
        return f"EFI/Linux/{self.kernel.label}.efi"

    def files(self) -> dict[str, bytes]:
        loader = signed(boot_loader(), self.owner)
        others = microsoft_certificates() if self.microsoft else ()
        owner = self.owner.certificate
        files: dict[str, bytes | None] = {
            **dict.fromkeys(LOADERS, loader),
            self.kernel_path: signed(self.kernel.to_bytes(), self.owner),
            "loader/loader.conf": MENU.encode(),
            "loader/keys/auto/PK.auth": self.update(authvar.PK, owner),
            "loader/keys/auto/KEK.auth": self.update(authvar.KEK, owner),
            "loader/keys/auto/db.auth": self.update(authvar.DB, owner, owner, *others),
        }
        return {path: content for path, content in (files | self.changed).items() if content is not None}

    def update(
        self, variable: authvar.Variable, *listed: x509.Certificate, signer: Owner | None = None, content: bytes = b""
    ) -> bytes:
        by = signer or self.owner
        content = content or authvar.signature_lists(listed, FIRMWARE_OWNER)
        moment = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
        return authvar.signed_update(variable, content, moment, by.key, by.certificate)

    def volume(self) -> TinyFat:
        serial = ids.file_system_id(ids.system_seed(self.kernel.label), ESP).bytes[:4]
        return TinyFat(self.files(), int.from_bytes(serial, "big"))

    def to_bytes(self) -> bytes:
        return self.volume().to_bytes()


def tiny_boot(owner: Owner, label: str, root_hash: str) -> TinyBoot:
    """The partition of an image with this root, with everything signed by one owner."""
    return TinyBoot(owner, TinyKernel(root_hash, label, owner))


def root_hash_of(system: TinyDisk) -> str:
    """What the ids of a system's partitions say."""
    return uuid.UUID(system.part(ROOT).id).hex + uuid.UUID(system.part(VERITY).id).hex


def write_build(directory: Path, system: TinyDisk, boot: TinyBoot) -> tuple[Path, dict[str, Any]]:
    """Write an image and all that a build leaves beside it, but the record; return the image's path and the record."""
    label = boot.kernel.label
    image = directory / f"{label}.raw"
    image.write_bytes(system.to_bytes())
    (directory / f"{label}.efi").write_bytes(boot.files()[boot.kernel_path])
    for name in (f"{label}.manifest", f"{label}.lock", f"{label}.cdx.json", "absence.json"):
        (directory / name).write_text(f"this is {name}\n")
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}
    files.pop("build.json", None)
    lines = {"main": list(boot.kernel.arguments)}
    lines |= {name: [*boot.kernel.arguments, *more] for name, more in boot.kernel.entries.items()}
    record = {
        "profile": "tiny",
        "version": label.partition("_")[2],
        "uki": f"{label}.efi",
        "root_hash": root_hash_of(system),
        "command_lines": lines,
        "boot_menu": MENU,
        "source_date": DAY.isoformat(),
        "partitions": [
            {
                "label": part.label,
                "type": part.kind.upper(),
                "uuid": part.id.upper(),
                "offset_bytes": system.offset(part.kind),
                "size_bytes": -(-len(part.content) // SECTOR) * SECTOR,
            }
            for part in system.parts
            if part.kind != STATE
        ],
        "files": files,
    }
    return image, record
