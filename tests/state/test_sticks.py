"""Sticks: what is listed, what is opened and how, and what is never touched."""

import json

import pytest

from tests.state.simulated_machine import SimulatedMachine
from tests.state.test_state_requests import ask, send

USB = "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host0/target0:0:0/0:0:0:0"
SATA = "pci0000:00/0000:00:17.0/ata1/host1/target1:0:0/1:0:0:0"
MOUNT = "/run/claudine-stick/files"


def sticks(machine: SimulatedMachine) -> list[dict[str, object]]:
    listed = ask(machine, "sticks")["sticks"]
    assert isinstance(listed, list)
    return listed


def open_stick(machine: SimulatedMachine, id_: str) -> dict[str, object]:
    return send(machine, json.dumps({"request": "open-stick", "stick": id_}).encode() + b"\n")


def test_a_stick_is_listed_with_what_a_person_knows_it_by(machine: SimulatedMachine) -> None:
    machine.put_disk("sda", USB, ID_FS_LABEL_ENC=r"M\xc3\xbcll\x20\x5cx", ID_VENDOR="SanDisk", ID_MODEL="Ultra_Fit")
    assert sticks(machine) == [
        {
            "id": "17-1",
            "device": "/dev/sda1",
            "label": r"Müll \x",
            "size_bytes": 4194304,
            "file_system": "vfat",
            "model": "SanDisk Ultra Fit",
        }
    ]


def test_a_file_system_on_the_whole_stick_is_one_too(machine: SimulatedMachine) -> None:
    machine.put_disk("sda", USB, parts=0)
    assert [(stick["id"], stick["device"]) for stick in sticks(machine)] == [("17-0", "/dev/sda")]


def test_all_partitions_of_all_sticks_are_listed(machine: SimulatedMachine) -> None:
    machine.put_disk("sdb", USB.replace("2-1", "2-2"), parts=2, sequence=18)
    machine.put_disk("sda", USB)
    assert [stick["id"] for stick in sticks(machine)] == ["17-1", "18-1", "18-2"]


def test_nothing_is_asked_when_nothing_is_in(machine: SimulatedMachine) -> None:
    assert sticks(machine) == []
    assert machine.calls == []


def test_a_disk_that_is_not_on_usb_is_none(machine: SimulatedMachine) -> None:
    machine.put_disk("sda", SATA, ID_BUS="usb")
    assert sticks(machine) == []
    assert "not in any more" in str(open_stick(machine, "17-1")["error"])
    assert not machine.called("systemd-mount")


@pytest.mark.parametrize("what", ["mapped", "root"])
def test_the_disk_that_the_machine_runs_from_is_none_though_it_is_on_usb(machine: SimulatedMachine, what: str) -> None:
    if what == "mapped":
        machine.put_disk("sda", USB, parts=3)
        # /var, opened: its partition is held by the device mapper.
        machine.put(f"sys/devices/{USB}/block/sda/sda3/holders/dm-1")
    else:
        machine.put_disk("sda", USB, parts=3, ID_PART_GPT_AUTO_ROOT_DISK="1")
    assert sticks(machine) == []
    assert "error" in open_stick(machine, "17-1")
    assert not machine.called("systemd-mount")


def test_what_holds_no_file_system_is_none(machine: SimulatedMachine) -> None:
    machine.put_disk("sda", USB, ID_FS_USAGE="raid")
    assert sticks(machine) == []


@pytest.mark.parametrize(
    ("file_system", "owner", "mask"),
    [("vfat", "--owner=claudine ", ",umask=0077"), ("exfat", "--owner=claudine ", ",umask=0077"), ("ext4", "", "")],
)
def test_it_is_opened_where_nothing_runs_and_no_link_leads_out(
    machine: SimulatedMachine, file_system: str, owner: str, mask: str
) -> None:
    machine.put_disk("sda", USB, ID_FS_TYPE=file_system)
    assert open_stick(machine, "17-1") == {"path": MOUNT}
    mount = machine.calls[-1]
    assert mount.startswith("systemd-mount --quiet --no-ask-password --collect --bind-device ")
    safe = "nodev,nosuid,noexec,nosymfollow,noatime,errors=remount-ro"
    assert mount.endswith(f" --type={file_system} {owner}--options={safe}{mask} /dev/sda1 {MOUNT}")


@pytest.mark.parametrize("id_", ["17-2", "17", "", "/dev/sda1", "../sda1", "17-1 ", "--help", "vda", "x" * 4000])
def test_only_what_was_listed_can_be_opened(machine: SimulatedMachine, id_: str) -> None:
    machine.put_disk("sda", USB)
    machine.put_disk("vda", SATA, sequence=1)
    assert list(open_stick(machine, id_)) == ["error"]
    assert not machine.called("systemd-mount")


def test_a_stick_that_was_exchanged_is_another_one(machine: SimulatedMachine) -> None:
    machine.put_disk("sda", USB)
    machine.put(f"sys/devices/{USB}/block/sda/diskseq", "18\n")
    assert open_stick(machine, "17-1") == {"error": "That stick is not in any more."}


@pytest.mark.parametrize(("file_system", "usage"), [("ntfs", "filesystem"), ("crypto_LUKS", "crypto"), ("", "")])
def test_a_file_system_without_a_driver_is_named(machine: SimulatedMachine, file_system: str, usage: str) -> None:
    machine.put_disk("sda", USB, ID_FS_TYPE=file_system, ID_FS_USAGE=usage or "filesystem")
    assert "I can use FAT, exFAT and ext4." in str(open_stick(machine, "17-1")["error"])
    assert not machine.called("systemd-mount")


def test_a_damaged_one_is_a_sentence(machine: SimulatedMachine) -> None:
    machine.put_disk("sda", USB)
    machine.failing["systemd-mount"] = (1, "Job failed. See journalctl -xe.")
    assert open_stick(machine, "17-1") == {"error": "It cannot be opened; its file system may be damaged."}


def test_closing_writes_everything_first(machine: SimulatedMachine) -> None:
    machine.put_disk("sda", USB)
    open_stick(machine, "17-1")
    assert ask(machine, "close-stick") == {}
    assert machine.calls[-2:] == [f"sync --file-system {MOUNT}", r"systemctl stop run-claudine\x2dstick-files.mount"]
    assert machine.mounted() == []
    assert ask(machine, "close-stick") == {}


def test_one_that_was_left_open_is_closed_before_another_is_opened(machine: SimulatedMachine) -> None:
    machine.put_disk("sda", USB)
    machine.put_disk("sdb", USB.replace("2-1", "2-2"), sequence=18)
    open_stick(machine, "17-1")
    assert open_stick(machine, "18-1") == {"path": MOUNT}
    assert machine.calls.index(r"systemctl stop run-claudine\x2dstick-files.mount") < len(machine.calls) - 1
    assert machine.mounted() == [MOUNT]


def test_one_in_use_stays_open(machine: SimulatedMachine) -> None:
    machine.put_disk("sda", USB)
    open_stick(machine, "17-1")
    machine.busy = True
    for answer in (ask(machine, "close-stick"), open_stick(machine, "17-1")):
        assert answer == {"error": "The stick is in use on another screen."}
    assert machine.mounted() == [MOUNT]


def test_one_that_was_pulled_out_is_cleaned_up_and_said(machine: SimulatedMachine) -> None:
    machine.put_disk("sda", USB)
    open_stick(machine, "17-1")
    machine.failing["sync"] = (1, "error syncing: Input/output error")
    assert "taken out too early" in str(ask(machine, "close-stick")["error"])
    assert machine.mounted() == []


def test_settings_are_applied_by_their_own_unit(machine: SimulatedMachine) -> None:
    assert ask(machine, "apply-settings") == {}
    assert machine.calls == ["systemctl restart claudine-settings.service"]


@pytest.mark.parametrize(
    "line",
    [
        b'{"request": "open-stick"}\n',
        b'{"request": "open-stick", "stick": null}\n',
        b'{"request": "open-stick", "stick": 17}\n',
        b'{"request": "open-stick", "stick": "17-1", "options": "exec"}\n',
        b'{"request": "open-stick", "device": "/dev/sda1"}\n',
        b'{"request": "sticks", "stick": "17-1"}\n',
    ],
)
def test_what_is_no_request_opens_nothing(machine: SimulatedMachine, line: bytes) -> None:
    machine.put_disk("sda", USB)
    assert list(send(machine, line)) == ["error"]
    assert machine.calls == []
