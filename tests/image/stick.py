"""A USB stick that is plugged into a machine."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from builder.vm.machine import Machine
from builder.vm.qmp import QmpError

STICK_BYTES = 16 << 20
MOUNT_POINT = "/run/claudine-stick/files"

# As the client, which is a user without any rights of its own (sysusers.d/claudine-client.conf).
ASK = """\
import os, socket, sys
os.setgroups([])
os.setgid(800)
os.setuid(802)
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(float(sys.argv[3]))
    connection.connect(sys.argv[1])
    connection.sendall(sys.argv[2].encode() + b"\\n")
    for line in connection.makefile():
        print(line, end="")
"""


def ask_as_client(
    machine: Machine, socket: str, request: str, timeout_s: float, **more: object
) -> list[dict[str, Any]]:
    """Send one request to a service of the machine, and return all lines of the answer."""
    line = json.dumps({"request": request, **more})
    command = f"python3 -I -c {shlex.quote(ASK)} {socket} {shlex.quote(line)} {timeout_s}"
    return [json.loads(one) for one in machine.succeed(command, timeout_s=timeout_s + 20).splitlines()]


def ask(machine: Machine, request: str, **more: str) -> dict[str, Any]:
    [answer] = ask_as_client(machine, "/run/claudine-state/control.sock", request, 100, **more)
    return answer


@contextmanager
def plugged_in(machine: Machine, stick: Path) -> Iterator[dict[str, Any]]:
    """Plug *stick* in, wait until it is listed, and take it out at the end."""
    before = [found["id"] for found in ask(machine, "sticks")["sticks"]]
    backing = {"driver": "file", "filename": str(stick)}
    machine.qmp.execute("blockdev-add", **{"driver": "raw", "node-name": "listed-stick", "file": backing})
    machine.qmp.execute("device_add", driver="usb-storage", id="listed-stick", bus="usb.0", drive="listed-stick")

    def look() -> dict[str, Any] | None:
        return next((found for found in ask(machine, "sticks")["sticks"] if found["id"] not in before), None)

    try:
        yield machine.watch.until("the stick in the list", look, timeout_s=180)
    finally:
        pull_out(machine)
        ask(machine, "close-stick")
        # The device lets go of it a moment later.
        machine.watch.until("the stick being free", lambda: forget(machine), timeout_s=60)


def pull_out(machine: Machine) -> None:
    if machine.run("ls /dev/disk/by-id/ | grep -q usb-QEMU").returncode == 0:
        machine.qmp.execute("device_del", id="listed-stick")
        machine.wait_until_succeeds("! ls /dev/disk/by-id/ | grep -q usb-QEMU", timeout_s=60)


def forget(machine: Machine) -> bool | None:
    try:
        machine.qmp.execute("blockdev-del", **{"node-name": "listed-stick"})
    except QmpError:
        return None
    return True
