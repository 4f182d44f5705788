"""The disk: one table of partitions, written as systemd-repart definitions.

repart derives the partitions' ids from the root hash, which is how the initrd finds the root that the signed command
line names.
"""

from builder.profile.catalogue import Model
from builder.profile.model import Profile
from builder.render.configuration import Line, Setting, lines, single

# Of ours alone: repart tells partitions apart by type, and would take the model for another's.
MODEL_TYPE = "9f3b6c1e-7d24-4c58-8a0f-3e5d1b7a6c42"


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


def model_partition(model: Model) -> list[Line]:
    """Return the definition of the partition that holds the model's image.

    It is not among the others, since mkosi would want the model in the tree of the root, and copy it twice more; it is
    added to the finished disk image. The path is below the directory that is given to repart as its root.
    """
    partition = [
        single("Type", MODEL_TYPE),
        single("Label", model.label, "The runtime finds it by this name."),
        single("CopyBlocks", f"/{model.id}.raw", "As it is: a signed image with a partition table of its own."),
        single("Weight", "0", "No larger than that: what the disk image has left over stays free."),
        single("PaddingWeight", "1"),
    ]
    return _file("The language model.", partition)


def _verity(part: str) -> list[Setting]:
    return [single("Verity", part), single("VerityMatchKey", "root")]


def _file(title: str, settings: list[Setting]) -> list[Line]:
    return lines(title, {"Partition": settings})
