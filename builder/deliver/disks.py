"""The disks of this computer: what each is, what is on it, and what uses it.

lsblk(8) knows all of it without root, from sysfs and udev. It shows what lies on a disk as a tree (partitions, LUKS,
LVM, RAID), so whatever is mounted, however deep, is found from the disk's side.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISBLK
from typing import Any

from builder.errors import BuilderError, ToolError
from builder.run import run, tool

_COLUMNS = "PATH,TYPE,SIZE,MODEL,SERIAL,TRAN,RM,HOTPLUG,RO,LOG-SEC,FSTYPE,LABEL,PARTLABEL,MOUNTPOINTS"
_LINKS = Path("/dev/disk")
# Memory that looks like a disk.
_NO_DISKS = ("/dev/zram", "/dev/ram")


@dataclass(frozen=True)
class Content:
    """Something on a disk: a partition, what is in it, or a file system that needs none. "" is what is not known.

    `kind` is lsblk's word, for example part, crypt, lvm or raid1. A mount point can be "[SWAP]".
    """

    path: str
    kind: str
    size_bytes: int
    file_system: str
    label: str
    mount_points: tuple[str, ...]


@dataclass(frozen=True)
class Disk:
    """A whole disk. A loop device is one, too, when it is named."""

    path: str
    kind: str
    size_bytes: int
    model: str
    serial: str
    transport: str
    removable: bool
    read_only: bool
    sector_bytes: int
    contents: tuple[Content, ...]

    @property
    def name(self) -> str:
        """What a person types to confirm, for example sdb."""
        return Path(self.path).name

    @property
    def title(self) -> str:
        """The disk in one line: /dev/sdb, 62 GB, SanDisk Extreme, serial 4C53."""
        serial = f"serial {self.serial}" if self.serial else "no serial number"
        return ", ".join(filter(None, [self.path, size_text(self.size_bytes), self.model, serial]))


def list_disks() -> tuple[Disk, ...]:
    """Return the disks that have a medium, removable and internal ones, without loop devices."""
    return tuple(disk for disk in _disks() if disk.kind == "disk" and disk.size_bytes)


def find_disk(named: str) -> Disk:
    """Return the disk that is named by its path in /dev, or by a link in /dev/disk.

    Raises BuilderError for anything else: another kind of file, a partition, a name that is only nearly right.
    """
    path = Path(named)
    hint = "The disks are listed by: claudineos flash --list"
    if path.is_symlink() and _LINKS in path.parents and path.exists():
        path = path.resolve()
    if not path.exists():
        raise BuilderError(f"there is no disk {named}", hint=hint)
    if path.is_file():
        raise BuilderError(f"{named} is a file, not a disk", hint="A copy of the image is made by cp")
    if not S_ISBLK(path.stat().st_mode):
        raise BuilderError(f"{named} is not a disk", hint=hint)
    for disk in _disks():
        if disk.path == str(path):
            return disk
        for content in disk.contents:
            if content.path == str(path) and content.kind == "part":
                raise BuilderError(
                    f"{named} is a partition of {disk.path}, and an image takes a whole disk",
                    hint=f"If you mean all of it, name {disk.path}",
                )
    raise BuilderError(f"{named} is not the name of a disk", hint=hint)


def size_text(size_bytes: int) -> str:
    """Say a size as it is printed on disks, in powers of ten."""
    for unit, least in (("TB", 10**12), ("GB", 10**9)):
        if size_bytes >= least:
            return f"{size_bytes / least:.1f} {unit}"
    return f"{size_bytes / 1e6:.1f} MB"


def _disks() -> Iterator[Disk]:
    lsblk = tool("lsblk", purpose="to look at the disks", hint="Install Debian's package util-linux")
    # By bytes, because a size that is rounded cannot be compared.
    listed = run([str(lsblk), "--json", "--bytes", "--output", _COLUMNS]).stdout
    try:
        for device in json.loads(listed)["blockdevices"]:
            if device["type"] in ("disk", "loop") and not device["path"].startswith(_NO_DISKS):
                yield _disk(device)
    except (ValueError, KeyError, TypeError) as error:
        hint = "util-linux 2.37 or newer is needed, for its column MOUNTPOINTS"
        raise ToolError(f"lsblk said something that is not understood: {error!r}", hint=hint) from error


def _disk(device: dict[str, Any]) -> Disk:
    whole = _content(device)
    inside = tuple(_below(device))
    return Disk(
        path=whole.path,
        kind=whole.kind,
        size_bytes=whole.size_bytes,
        model=_text(device["model"]),
        serial=_text(device["serial"]),
        transport=_text(device["tran"]),
        removable=bool(device["rm"] or device["hotplug"]),
        read_only=bool(device["ro"]),
        sector_bytes=int(device["log-sec"]),
        contents=(whole, *inside) if whole.file_system or whole.mount_points else inside,
    )


def _below(device: dict[str, Any]) -> Iterator[Content]:
    for child in device.get("children", ()):
        yield _content(child)
        yield from _below(child)


def _content(device: dict[str, Any]) -> Content:
    return Content(
        path=device["path"],
        kind=device["type"],
        size_bytes=int(device["size"] or 0),
        file_system=_text(device["fstype"]),
        label=_text(device["label"]) or _text(device["partlabel"]),
        mount_points=tuple(point for point in device["mountpoints"] if point),
    )


def _text(value: object) -> str:
    """What a disk says of itself goes to a terminal, so nothing that would move its cursor passes."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(value or "").strip())
