"""The disks: how large they are, which one the system was started from, and what is free on that one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from claudine_preflight import sysfs
from claudine_state.host import Host

# The kernel counts in these, whatever the disk has (sysfs-block).
_SECTOR_BYTES = 512
# Devices that are made of software, and drives for discs.
_NO_DISK = ("dm-", "loop", "md", "nbd", "ram", "sr", "zram")
# An eMMC's own boot areas, which hold no system here.
_BOOT_AREAS = ("boot0", "boot1")
_BUSES = {"usb": "USB", "nvme": "NVMe", "mmc": "eMMC or SD card", "ata": "SATA", "virtio": "virtio"}
STATE_LABEL = "claudine-state"
MODEL_LABEL = "claudine-model_"


@dataclass(frozen=True)
class Disk:
    """A disk. *free_bytes* is what lies behind its last partition; *labels* are those of its partitions, with sizes."""

    name: str
    model: str
    bus: str
    size_bytes: int
    free_bytes: int
    started_from: bool
    labels: dict[str, int]


def look(host: Host) -> tuple[Disk, ...]:
    """Look at all disks that have something in them."""
    block = host.root / "sys/class/block"
    root = _disk_of_root(block)
    found = (_disk(path, started_from=path.name == root) for path in sorted(block.iterdir()) if _is_disk(path))
    return tuple(disk for disk in found if disk.size_bytes)


def _is_disk(path: Path) -> bool:
    is_partition = (path / "partition").exists()
    return not (is_partition or path.name.startswith(_NO_DISK) or path.name.endswith(_BOOT_AREAS))


def _disk(path: Path, *, started_from: bool) -> Disk:
    size_bytes = _bytes(path / "size")
    partitions = list(_partitions(path))
    used_bytes = max((_bytes(partition / "start") + _bytes(partition / "size") for partition in partitions), default=0)
    return Disk(
        name=path.name,
        model=sysfs.value(path / "device/model") or sysfs.value(path / "device/name") or "",
        bus=_bus(path.resolve()),
        size_bytes=size_bytes,
        free_bytes=max(0, size_bytes - used_bytes),
        started_from=started_from,
        labels={_label(partition): _bytes(partition / "size") for partition in partitions},
    )


def _bytes(path: Path) -> int:
    return (sysfs.number(path) or 0) * _SECTOR_BYTES


def _partitions(disk: Path) -> Iterator[Path]:
    return (path for path in disk.resolve().iterdir() if (path / "partition").exists())


def _label(partition: Path) -> str:
    lines = (partition / "uevent").read_text(errors="replace").splitlines()
    return next((line.removeprefix("PARTNAME=") for line in lines if line.startswith("PARTNAME=")), "")


def _bus(path: Path) -> str:
    """Name what the disk hangs on: the first bus on the way to it."""
    for part in path.parts:
        for beginning, bus in _BUSES.items():
            if part.startswith(beginning):
                return bus
    return "another bus"


def _disk_of_root(block: Path) -> str | None:
    """Follow the verity device of the root to the partition below it, and to its disk."""
    for path in block.iterdir():
        if sysfs.value(path / "dm/name") == "root":
            return next((slave.resolve().parent.name for slave in (path / "slaves").iterdir()), None)
    return None
