"""The disk: one table of partitions, written as systemd-repart definitions.

repart derives the partitions' ids from the root hash, which is how the initrd finds the root that the signed command
line names.
"""

from builder.profile.model import Profile
from builder.render.configuration import Line, Setting, lines, single


def partitions(profile: Profile) -> dict[str, list[Line]]:
    """Return the repart definition files by name."""
    label = profile.image.label
    size = f"{profile.storage.esp_size_mib}M"
    esp = [
        single("Type", "esp"),
        single("Format", "vfat"),
        single("CopyFiles", "/efi:/", "The boot loader, the owner's keys to enrol, and the signed kernel image."),
        single("CopyFiles", "/boot:/"),
        single("SizeMinBytes", size, "Room for the kernel images of two slots."),
        single("SizeMaxBytes", size),
    ]
    root = [
        single("Type", "root"),
        single("Label", label),
        single("Format", "erofs"),
        single("Compression", "zstd"),
        single("CopyFiles", "/"),
        single("Minimize", "best"),
        *_verity("data"),
    ]
    hashes = [
        single("Type", "root-verity"),
        single("Label", f"{label}_verity"),
        single("Minimize", "best"),
        *_verity("hash"),
    ]
    signature = [single("Type", "root-verity-sig"), single("Label", f"{label}_verity_sig"), *_verity("signature")]
    return {
        "00-esp.conf": _file("What the firmware reads.", esp),
        "10-root.conf": _file("The whole system, read-only.", root),
        "11-root-verity.conf": _file("The hash tree over the root; its top is the root hash.", hashes),
        "12-root-verity-sig.conf": _file("The owner's signature of the root hash.", signature),
    }


def _verity(part: str) -> list[Setting]:
    return [single("Verity", part), single("VerityMatchKey", "root")]


def _file(title: str, settings: list[Setting]) -> list[Line]:
    return lines(title, {"Partition": settings})
