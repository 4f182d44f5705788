"""USB sticks and disks that an owner has plugged in, and one of them opened for the client.

It is PID 1 that mounts: what this process mounted would be seen by nobody else, and what PID 1 mounts reaches the
client's mount namespace, which was made before. The client may read and write there, nothing runs from it, and no link
on it is followed. What is on a stick, its name included, is somebody else's and not trusted.

A stick is named by the kernel's number for this very disk (``diskseq``, never used twice) and that of the partition.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from claudine_state.host import Host
from claudine_state.run import CommandError

# Below a folder that only the client may enter: an ext4 file system has permissions of its own.
MOUNT_POINT = "/run/claudine-stick/files"
_UNIT = r"run-claudine\x2dstick-files.mount"

# errors=: what is wrong on a stick must not stop the machine, whatever its ext4 says of that.
_SAFE = "--options=nodev,nosuid,noexec,nosymfollow,noatime,errors=remount-ro"
_CLIENTS = ("--owner=claudine", f"{_SAFE},umask=0077")
# By udev's name for the file system. ext4 has owners of its own.
_OPTIONS = {"vfat": _CLIENTS, "exfat": _CLIENTS, "ext4": (_SAFE,)}

_USB = re.compile(r"usb\d+", re.ASCII)
_SECTOR_BYTES = 512


class StickError(Exception):
    """A stick that is not opened or closed; ``str()`` is the sentence for the client."""


@dataclass(frozen=True)
class Stick:
    """A file system on USB storage. *device* is its node below ``/dev``."""

    id: str
    device: str
    label: str
    size_bytes: int
    file_system: str
    model: str


def find_sticks(host: Host) -> list[Stick]:
    """Return what can be opened, or could be with another file system, in the order of the devices' names."""
    found = []
    for disk in _usb_disks(host):
        parts = sorted(path for path in disk.iterdir() if (path / "partition").exists())
        if _is_in_use([disk, *parts]):
            continue
        sequence = (disk / "diskseq").read_text().strip()
        for path in parts or [disk]:
            properties = _udev_properties(host, path)
            # A copy of this system, which systemd has taken for the one that was started, is no stick either.
            if properties.get("ID_PART_GPT_AUTO_ROOT_DISK") == "1":
                break
            if properties.get("ID_FS_USAGE") in ("filesystem", "crypto"):
                number = (path / "partition").read_text().strip() if parts else "0"
                found.append(_stick(f"{sequence}-{number}", path, properties))
    return found


def open_stick(host: Host, id_: str) -> None:
    """Mount the stick *id_* at :data:`MOUNT_POINT`, in place of one that was left open. Raises StickError."""
    stick = next((stick for stick in find_sticks(host) if stick.id == id_), None)
    if stick is None:
        raise StickError("That stick is not in any more.")
    if stick.file_system not in _OPTIONS:
        raise StickError(f"Its file system is {stick.file_system}; I can use FAT, exFAT and ext4.")
    close_stick(host)
    # Not checked before: fsck is not here for FAT, and mends nothing that a person would want to be asked about.
    how = ["--quiet", "--no-ask-password", "--collect", "--bind-device", "--automount=no", "--fsck=no"]
    what = [f"--type={stick.file_system}", *_OPTIONS[stick.file_system], stick.device, MOUNT_POINT]
    try:
        host.run(["systemd-mount", *how, *what])
    except CommandError as error:
        raise StickError("It cannot be opened; its file system may be damaged.") from error


def close_stick(host: Host) -> None:
    """Write everything out and unmount; nothing if none is open. Raises StickError.

    Whoever still has a file or folder of it open keeps it open: that is how another screen's stick is told from one
    that was left behind.
    """
    if not _is_open(host):
        return
    lost = None
    try:
        host.run(["sync", "--file-system", MOUNT_POINT])
    except CommandError as error:
        lost = error
    try:
        host.run(["systemctl", "stop", _UNIT])
    except CommandError as error:
        if _is_open(host):
            raise StickError("The stick is in use on another screen.") from error
    if _is_open(host):
        raise StickError("The stick is in use on another screen.")
    if lost:
        raise StickError("The stick was taken out too early, or is broken: not everything was written.") from lost


def _is_open(host: Host) -> bool:
    mounts = (host.root / "proc/self/mounts").read_text(errors="replace").splitlines()
    return any(line.split()[1] == MOUNT_POINT for line in mounts)


def _usb_disks(host: Host) -> Iterator[Path]:
    """Yield the directories of disks in sysfs whose way to the processor leads through a USB controller."""
    root = host.root.resolve()
    for link in sorted((host.root / "sys/class/block").iterdir()):
        path = link.resolve()
        if any(map(_USB.fullmatch, path.relative_to(root).parts)) and not (path / "partition").exists():
            yield path


def _is_in_use(paths: list[Path]) -> bool:
    """Say whether the device mapper has one of *paths*: this system's root and state, wherever they are."""
    return any(any((path / "holders").iterdir()) for path in paths if (path / "holders").is_dir())


def _udev_properties(host: Host, path: Path) -> dict[str, str]:
    shown = host.run(["udevadm", "info", "--query=property", f"--name=/dev/{path.name}"]).decode(errors="replace")
    return {name: value for name, _, value in (line.partition("=") for line in shown.splitlines())}


def _stick(id_: str, path: Path, properties: dict[str, str]) -> Stick:
    return Stick(
        id=id_,
        device=f"/dev/{path.name}",
        label=_decoded(properties.get("ID_FS_LABEL_ENC", "")),
        size_bytes=int((path / "size").read_text()) * _SECTOR_BYTES,
        file_system=properties.get("ID_FS_TYPE", ""),
        model=" ".join(properties.get(name, "").replace("_", " ") for name in ("ID_VENDOR", "ID_MODEL")).strip(),
    )


def _decoded(text: str) -> str:
    r"""Undo udev's encoding, which writes bytes as ``\x20``."""
    plain = re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())
    return plain.decode(errors="replace").strip()
