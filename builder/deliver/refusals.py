"""Which disks are not written to.

The last word has the kernel, which gives a disk to one user alone (O_EXCL) only when nothing else holds it. What is
said here comes before it: it names what is in the way, and keeps `--unmount` from what the running system needs.
"""

from pathlib import Path

from builder.deliver.disks import Disk, size_text
from builder.errors import BuilderError

# The firmware reads an image's partition table in sectors of this size.
IMAGE_SECTOR_BYTES = 512
# What the image needs behind it: the first start makes the state's partition there (repart.d/50-state.conf), at a
# place that is rounded up.
STATE_BYTES = 257 << 20
# Where people and desktops mount what comes and goes. Whatever is mounted elsewhere is part of the running system.
_MEDIA = ("/media/", "/mnt/", "/run/media/")
_SWAP = "[SWAP]"


def check_disk(disk: Disk, *, unmount: bool, layers: tuple[str, ...]) -> None:
    """Raise BuilderError for a disk that cannot or must not be written to.

    With `unmount`, a mounted file system is no obstacle unless the running system needs it; `layers` are the
    directories that overlay file systems consist of.
    """
    if not disk.size_bytes:
        raise BuilderError(f"there is no medium in {disk.path}", hint="Insert it, and start again")
    if disk.read_only:
        raise BuilderError(f"{disk.path} is read-only", hint="An SD card has a switch on its side for that")
    if disk.sector_bytes != IMAGE_SECTOR_BYTES:
        raise BuilderError(
            f"{disk.path} has sectors of {disk.sector_bytes} bytes, and firmware would not find an image on it",
            hint="Many NVMe disks can be changed to 512: nvme format --lbaf (this erases the disk)",
        )
    for content in disk.contents:
        for point in content.mount_points:
            if needed_by_system(point, layers):
                raise BuilderError(
                    f"the running system is on {disk.path}: it uses {content.path} as {point}",
                    hint="Name another disk; they are listed by: claudineos flash --list",
                )
    for content in disk.contents:
        if content.mount_points and not unmount:
            raise BuilderError(
                f"{content.path} is mounted at {content.mount_points[0]}",
                hint="Unmount it, or have it unmounted: --unmount",
            )
        if content.kind != "part" and content.path != disk.path:
            raise BuilderError(
                f"{disk.path} is in use: {content.path} ({content.kind}) is on it",
                hint="Close it first, for example with cryptsetup close, vgchange --activate n or mdadm --stop",
            )


def check_room(disk: Disk, image_bytes: int) -> None:
    """Raise BuilderError unless the image fits, and the state that the first start makes behind it."""
    needed_bytes = image_bytes + STATE_BYTES
    if disk.size_bytes < needed_bytes:
        raise BuilderError(
            f"{disk.path} has {size_text(disk.size_bytes)}, and {size_text(needed_bytes)} are needed",
            hint=f"{size_text(image_bytes)} for the image, the rest for what the machine will keep",
        )


def needed_by_system(mount_point: str, layers: tuple[str, ...]) -> bool:
    """Say whether a mount point is part of the running system, rather than a medium that somebody put in."""
    if mount_point == _SWAP or not f"{mount_point}/".startswith(_MEDIA):
        return True
    # A system that keeps its changes elsewhere runs from layers, which may be mounted anywhere (overlayroot: /media).
    return any(f"{layer}/".startswith(f"{mount_point}/") for layer in layers)


def running_layers() -> tuple[str, ...]:
    """Return the directories that are layers of overlay file systems, of which this system may consist."""
    return overlay_layers(Path("/proc/self/mountinfo").read_text())


def overlay_layers(mountinfo: str) -> tuple[str, ...]:
    """Return the directories that are layers of mounted overlay file systems, from /proc/self/mountinfo (proc(5))."""
    layers = []
    for line in mountinfo.splitlines():
        kind, _, options = line.partition(" - ")[2].split(" ", 2)
        if kind == "overlay":
            for option in options.split(","):
                name, _, value = option.partition("=")
                if name.rstrip("+") in ("lowerdir", "upperdir", "workdir"):
                    layers += value.split(":")
    return tuple(layers)
