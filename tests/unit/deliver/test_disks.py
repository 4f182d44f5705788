"""Disks are told apart, and what must not be overwritten is refused, each with its own reason."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.deliver.disks import Disk, find_disk, list_disks
from builder.deliver.refusals import STATE_BYTES, check_disk, check_room, needed_by_system, overlay_layers
from builder.errors import BuilderError
from tests.support.fake_lsblk import GB, device

Lsblk = Callable[..., None]
ROOT = Path(__file__).parents[3]


STICK = {"model": "Extreme ", "serial": "4C53\x1b[2J", "tran": "usb", "rm": True}


def only_disk(lsblk: Lsblk, **what: Any) -> Disk:
    lsblk(device("/dev/sdb", "disk", **what))
    [disk] = list_disks()
    return disk


def test_disks_are_listed_with_what_is_on_them_and_nothing_else_is(lsblk: Lsblk) -> None:
    lsblk(
        device("/dev/zram0", "disk"),
        device("/dev/loop0", "loop", mountpoints=["/snap/x"]),
        device("/dev/sdc", "disk", size=0),
        device("/dev/sr0", "rom"),
        device("/dev/sdb", "disk", **STICK, children=[device("/dev/sdb1", "part", fstype="vfat", label="HOLIDAY")]),
    )
    [disk] = list_disks()
    assert disk.title == "/dev/sdb, 64.0 GB, Extreme, serial 4C53?[2J", "nothing in it moves a terminal's cursor"
    assert (disk.name, disk.transport, disk.removable) == ("sdb", "usb", True)
    [content] = disk.contents
    assert (content.path, content.file_system, content.label) == ("/dev/sdb1", "vfat", "HOLIDAY")


def under(*layers: dict[str, Any]) -> dict[str, Any]:
    """A disk with devices on top of each other."""
    [top, *rest] = layers
    return {"children": [{**top, **(under(*rest) if rest else {})}]}


PART = device("/dev/sdb1", "part")
LUKS = device("/dev/mapper/luks", "crypt")
# (what is on the disk, what is told)
SYSTEM_DISKS = [
    (under(device("/dev/sdb2", "part", mountpoints=["/"])), "it uses /dev/sdb2 as /"),
    (under(device("/dev/sdb1", "part", mountpoints=["/boot/efi"])), "as /boot/efi"),
    (under(device("/dev/sdb3", "part", mountpoints=["[SWAP]"])), r"as \[SWAP\]"),
    (under(PART, LUKS, device("/dev/mapper/vg-root", "lvm", mountpoints=["/"])), "it uses /dev/mapper/vg-root as /"),
    (under(PART, device("/dev/md0", "raid1", mountpoints=["/home"])), "it uses /dev/md0 as /home"),
    (under(device("/dev/sdb1", "part", mountpoints=["/run/live/medium"])), "as /run/live/medium"),
    (under(device("/dev/sdb1", "part", mountpoints=["/media/root-ro"])), "as /media/root-ro"),
    (under(device("/dev/sdb1", "part", mountpoints=["/media/ada/X", "/var/lib"])), "as /var/lib"),
    ({"mountpoints": ["/"]}, "it uses /dev/sdb as /"),
]


@pytest.mark.parametrize("unmount", [False, True])
@pytest.mark.parametrize(("what", "told"), SYSTEM_DISKS)
def test_the_running_systems_disk_is_refused_whatever_is_asked(
    lsblk: Lsblk, what: dict[str, Any], told: str, unmount: bool
) -> None:
    with pytest.raises(BuilderError, match=f"the running system is on /dev/sdb: .*{told}"):
        check_disk(only_disk(lsblk, **what), unmount=unmount, layers=("/media/root-ro/usr",))


# (what is on the disk, what is told, and the same with --unmount: "" if it is no obstacle)
OBSTACLES = [
    ({}, "", ""),
    (under(PART), "", ""),
    (under(device("/dev/sdb1", "part", mountpoints=["/media/ada/HOLIDAY"])), "mounted at /media/ada/HOLIDAY", ""),
    ({"fstype": "ext4", "mountpoints": ["/mnt/stick"]}, "/dev/sdb is mounted at /mnt/stick", ""),
    (under(PART, LUKS), r"in use: /dev/mapper/luks \(crypt\)", r"in use: /dev/mapper/luks \(crypt\)"),
    (under(device("/dev/md0", "raid1")), r"/dev/md0 \(raid1\)", r"/dev/md0 \(raid1\)"),
    ({"ro": True}, "read-only", "read-only"),
    ({"log-sec": 4096}, "sectors of 4096 bytes", "sectors of 4096 bytes"),
]


@pytest.mark.parametrize(("what", "told", "told_when_unmounting"), OBSTACLES)
def test_what_is_in_the_way_is_named(lsblk: Lsblk, what: dict[str, Any], told: str, told_when_unmounting: str) -> None:
    disk = only_disk(lsblk, **what)
    for unmount, expected in ((False, told), (True, told_when_unmounting)):
        if expected:
            with pytest.raises(BuilderError, match=expected):
                check_disk(disk, unmount=unmount, layers=())
        else:
            check_disk(disk, unmount=unmount, layers=())


def test_an_empty_card_reader_is_told_from_a_small_disk(lsblk: Lsblk) -> None:
    with pytest.raises(BuilderError, match="no medium"):
        check_disk(replace(only_disk(lsblk), size_bytes=0), unmount=False, layers=())


def test_there_must_be_room_for_the_image_and_for_the_state(lsblk: Lsblk) -> None:
    image_bytes = 4 * GB
    check_room(only_disk(lsblk, size=image_bytes + STATE_BYTES), image_bytes)
    with pytest.raises(BuilderError, match=r"has 4\.0 GB, and 4\.3 GB are needed"):
        check_room(only_disk(lsblk, size=image_bytes + (1 << 20)), image_bytes)


def test_the_room_for_the_state_is_what_the_first_start_asks_for() -> None:
    definition = (ROOT / "overlays/state/usr/lib/repart.d/50-state.conf.j2").read_text()
    assert "SizeMinBytes=256M" in definition
    assert STATE_BYTES > 256 << 20


def test_only_the_exact_name_of_a_whole_disk_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "disk.img"
    file.touch()
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    for named, told in [
        ("sdb", "there is no disk sdb"),
        ("/dev/sd", "there is no disk"),
        ("/dev/null", "is not a disk"),
        ("/dev", "is not a disk"),
        (str(file), "is a file, not a disk"),
        (str(link), "is not a disk"),
    ]:
        with pytest.raises(BuilderError, match=told):
            find_disk(named)


# (mount point, layers of overlays, whether the running system needs it)
MOUNTS = [
    ("/", (), True),
    ("/mediation", (), True),
    ("/media/ada/STICK", (), False),
    ("/run/media/ada/STICK", (), False),
    ("/mnt", (), False),
    ("/mnt2", (), True),
    ("/mnt/live", ("/mnt/live/usr",), True),
    ("/mnt/live", ("/mnt/lively",), False),
]


@pytest.mark.parametrize(("mount_point", "layers", "needed"), MOUNTS)
def test_what_the_system_needs_is_told_from_what_somebody_put_in(
    mount_point: str, layers: tuple[str, ...], needed: bool
) -> None:
    assert needed_by_system(mount_point, layers) == needed


def test_the_layers_of_overlays_are_found() -> None:
    mountinfo = (
        "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
        "30 1 0:26 / / rw shared:1 - overlay overlay rw,lowerdir=/a:/b,upperdir=/c/up,workdir=/c/work,xino=off\n"
        "31 1 0:27 / /x rw - overlay overlay rw,lowerdir+=/d\n"
    )
    assert overlay_layers(mountinfo) == ("/a", "/b", "/c/up", "/c/work", "/d")
