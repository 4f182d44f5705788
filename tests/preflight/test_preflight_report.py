"""The report: what it says, where it is left, and that nothing else changes."""

import os
import pty
import time

import pytest

from claudine_preflight import esp, voice
from claudine_preflight.__main__ import check
from claudine_preflight.dialog import Screens, open_consoles
from claudine_preflight.findings import Kind
from claudine_preflight.machine import look
from claudine_state.console import Console
from tests.preflight.simulated_hardware import ESP, SimulatedHardware
from tests.state.person import Person

GOOD = """\
Claudine: what I found in this machine

Secure Boot   on, with the keys that this image is signed with
TPM           2.0; it sealed a test value and gave it back
Memory        8.0 GiB
Processor     Intel(R) N100, 4 cores, x86-64-v3
Disk          nvme0n1 SSD 1000, NVMe, 238.0 GiB; I started from it, 236.0 GiB
              are free
Graphics      Intel 8086:46d1, driver i915
Screens       HDMI-A-1
The model     code for alderlake; Vulkan: Vulkan0: Intel(R) Graphics (ADL-N)
              (7800 MiB, 7100 MiB free)
Keyboard      USB Keyboard
Temperature   coretemp 44 C
Watchdog      none
Network       no card on the PCI bus

Everything that I need is here.
"""


def test_the_report_of_a_good_machine(hardware: SimulatedHardware) -> None:
    assert voice.report(look(hardware.host, has_keys=True), ()) == GOOD


def test_other_disks_are_listed_and_parts_without_a_medium_are_not(hardware: SimulatedHardware) -> None:
    hardware.disk("sda", "pci0000:00/usb2/2-1/host7/target7:0:0/block", 32 << 30, model="Stick")
    hardware.disk("sdb", "pci0000:00/ata1/host0/target0:0:0/block", 500 << 30)
    hardware.disk("mmcblk0", "pci0000:00/mmc_host/mmc0/mmc0:0001/block", 64 << 30, model="DA4064")
    hardware.disk("mmcblk0boot0", "pci0000:00/mmc_host/mmc0/mmc0:0001/block", 4 << 20)
    hardware.disk("sdc", "pci0000:00/usb2/2-2/host8/target8:0:0/block", 0)
    hardware.disk("loop0", "virtual/block", 1 << 30)
    buses = {disk.name: disk.bus for disk in look(hardware.host, has_keys=True).disks}
    assert buses == {"mmcblk0": "eMMC or SD card", "nvme0n1": "NVMe", "sda": "USB", "sdb": "SATA"}


def test_a_device_cannot_write_on_the_screen_by_its_name(hardware: SimulatedHardware) -> None:
    hardware.inputs(("Keys\x1b[2J", "B: KEY=ffffffffffffffff"))
    hardware.disk("sda", "pci0000:00/usb2/block", 1 << 30, model="\x1b]0;x\x07\x9b")
    assert voice.report(look(hardware.host, has_keys=True), ()).replace("\n", "").isprintable()


def test_it_is_left_on_the_partition_that_the_firmware_started_from(hardware: SimulatedHardware) -> None:
    esp.leave(hardware.host, GOOD)
    assert (hardware.esp / esp.REPORT).read_text() == GOOD
    assert {path.name for path in hardware.esp.iterdir()} == {"loader", esp.REPORT}
    mount, umount = hardware.calls
    assert mount.startswith("mount --types=vfat --options=rw,nodev,nosuid,noexec,nosymfollow ")
    assert mount.split()[-2].endswith(f"by-partuuid/{ESP}")
    assert umount.startswith("umount ")


def test_keys_are_looked_for_without_writing(hardware: SimulatedHardware) -> None:
    assert esp.has_keys(hardware.host) is True
    (hardware.esp / "loader/keys/auto/db.auth").unlink()
    assert esp.has_keys(hardware.host) is False
    assert not any("rw," in call for call in hardware.calls)


@pytest.mark.parametrize("name", ["", "../../../etc", "no-such-partition"])
def test_a_boot_loader_that_names_no_partition_is_not_guessed_at(hardware: SimulatedHardware, name: str) -> None:
    variable = next((hardware.host.root / "sys/firmware/efi/efivars").glob("LoaderDevicePartUUID-*"))
    variable.write_bytes(b"\6\0\0\0" + f"{name}\0".encode("utf-16-le"))
    with pytest.raises(esp.EspError, match="which partition"):
        esp.leave(hardware.host, GOOD)
    assert hardware.calls == []


def test_a_person_reads_it_and_powers_off(hardware: SimulatedHardware) -> None:
    hardware.memory(1 << 30)

    def dialog(console: Console) -> str | None:
        return check(hardware.host, Screens([console]))

    with Person(dialog) as person:
        person.reads(voice.LOOKING)
        person.reads(voice.TITLE)
        person.reads(voice.PREVENTS)
        person.reads(esp.REPORT)
        person.reads("[P] power off")
        person.types("x")
        # Two keys at once are none.
        time.sleep(0.1)
        person.types("P")
        assert person.end() == "poweroff"
    report = (hardware.esp / esp.REPORT).read_text()
    assert "1.0 GiB of memory" in " ".join(report.split())
    assert str(Kind.LITTLE_MEMORY) not in report


def test_a_report_that_cannot_be_left_is_shown_all_the_same(hardware: SimulatedHardware) -> None:
    hardware.failing["mount"] = "wrong fs type"
    with Person(lambda console: check(hardware.host, Screens([console]))) as person:
        person.reads(voice.ALL_WELL)
        person.reads("mount: wrong fs type.")
        person.types("r")
        assert person.end() == "reboot"


def test_nothing_is_run_but_what_looks(hardware: SimulatedHardware) -> None:
    with Person(lambda console: check(hardware.host, Screens([console]))) as person:
        person.reads("[R]")
        person.types("r")
        person.end()
    assert {call.split()[0] for call in hardware.calls} == {"udevadm", "systemd-creds", "timeout", "mount", "umount"}


def test_a_console_that_is_not_there_is_left_out_and_one_that_goes_ends_nothing(hardware: SimulatedHardware) -> None:
    master, terminal = pty.openpty()
    name = os.ttyname(terminal).removeprefix("/dev/")
    consoles = open_consoles(["no-such-console", name])
    assert len(consoles) == 1
    os.close(master)
    os.close(terminal)
    screens = Screens(consoles)
    screens.say("Hello?")
    assert screens.choose() is None
