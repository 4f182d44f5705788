"""From an image and certificates to evidence: every claim is tried, whatever the others found."""

from collections.abc import Sequence
from pathlib import Path

from builder.errors import BuilderError
from builder.keys import Role
from builder.verify.claims import CHECKS, esp, gpt
from builder.verify.context import Context, load_context
from builder.verify.disk import Disk, open_disk
from builder.verify.evidence import Evidence
from builder.verify.predict import predicted_pcrs
from builder.verify.unpack import COMPRESSED, unpacked


def verify(image: Path, certificates: Sequence[Path] = (), directory: Path | None = None) -> Evidence:
    """Check every claim about an image: a raw file, one that zstd compressed (`.zst`), or a block device.

    `certificates` are the owner's, in PEM or DER; without them, those in the build.json in `directory` (by default
    beside the image) are taken, which came with the image and show only that it agrees with itself. BuilderError if
    the image or a certificate cannot be read; whatever is wrong with the image is a finding.
    """
    if not image.exists():
        hint = "Name a disk image, for example build/qemu/out/claudineos_0.1.0.raw, or a disk"
        raise BuilderError(f"there is no image {image}", hint=hint)
    context = load_context(directory or image.parent, certificates)
    if image.suffix == COMPRESSED:
        with unpacked(image) as raw, open_disk(raw) as disk:
            return _verify(disk, image.stem, context)
    with open_disk(image) as disk:
        return _verify(disk, image.name, context)


def _verify(disk: Disk, name: str, context: Context) -> Evidence:
    return Evidence(
        image=name,
        size_bytes=disk.size_bytes,
        certificates={trusted.name: trusted.sha256 for trusted in context.trusted},
        predicted_pcrs=predicted_pcrs(disk, context.certificates(Role.DB)),
        findings=tuple(finding for check in CHECKS for finding in check(disk, context)),
        unchecked=(*gpt.unchecked(disk), *esp.unchecked(disk)),
    )
