"""Of what can be plugged in, keyboards and storage get a driver, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from builder.run import run
from builder.toolchain import open_toolchain
from builder.vm.machine import Machine

STICK_BYTES = 4 << 20


def plug_in(machine: Machine, driver: str, **options: str) -> list[str]:
    """Plug a device in and return its interfaces (paths in /sys), once udev has seen to them."""
    listing = "ls -d /sys/bus/usb/devices/*:*"
    before = machine.succeed(listing).split()
    machine.qmp.execute("device_add", driver=driver, id=driver, bus="usb.0", **options)

    def look() -> list[str] | None:
        return [path for path in machine.succeed(listing).split() if path not in before] or None

    found = machine.watch.until(f"the kernel seeing {driver}", look, timeout_s=60)
    machine.succeed("udevadm settle")
    return found


def test_a_keyboard_gets_its_driver(machine: Machine) -> None:
    [interface] = plug_in(machine, "usb-kbd")
    assert machine.wait_until_succeeds(f"readlink {interface}/driver", timeout_s=30).endswith("/usbhid\n")


def test_a_stick_can_be_read_and_runs_nothing(machine: Machine, host: Any, tmp_path: Path) -> None:
    toolchain = open_toolchain()
    stick = tmp_path / "stick.img"
    stick.write_bytes(bytes(STICK_BYTES))
    program = toolchain.tools_tree / "usr/bin/true"
    for command in (["mkfs.vfat", str(stick)], ["mcopy", "-i", str(stick), str(program), "::program"]):
        run(toolchain.box(command))
    backing = {"driver": "file", "filename": str(stick)}
    machine.qmp.execute("blockdev-add", **{"driver": "raw", "node-name": "stick", "file": backing})
    plug_in(machine, "usb-storage", drive="stick")
    device = machine.wait_until_succeeds("ls /dev/disk/by-id/usb-QEMU*", timeout_s=90).split()[0]
    machine.succeed(f"mkdir -p /run/stick && mount -o exec,ro {device} /run/stick")
    refused = host.run("/run/stick/program")
    machine.succeed("umount /run/stick")
    assert (refused.rc, "Operation not permitted" in refused.stderr) == (126, True)


@pytest.mark.parametrize(
    ("device", "options"),
    [("usb-mouse", {}), ("usb-net", {"netdev": "idle"}), ("usb-ccid", {})],
    ids=["a mouse", "a network card", "a reader of chip cards"],
)
def test_nothing_else_is_let_in(machine: Machine, device: str, options: dict[str, str]) -> None:
    if "netdev" in options:
        machine.qmp.execute("netdev_add", type="hubport", id="idle", hubid=0)
    for interface in plug_in(machine, device, **options):
        assert machine.succeed(f"cat {interface}/authorized") == "0\n"
        assert machine.run(f"test -e {interface}/driver").returncode != 0
