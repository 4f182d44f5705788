"""How a system that its owner has not signed is turned away: by the firmware, or by the initrd."""

from pathlib import Path

import pytest

from builder.vm.machine import Machine
from builder.vm.serial_log import CONTROL, FAILURES
from builder.vm.watch import MachineError
from tests.image.screen import flat

ROOT = Path(__file__).parents[3]
REFUSED = (ROOT / "overlays/base/initrd/usr/lib/claudine/refused.txt").read_text()
FIRMWARE_MENU = "Please select boot device"
TIMEOUT_S = 300.0


def serial_text(machine: Machine) -> str:
    """Return all that came out of the serial line, without control sequences."""
    return CONTROL.sub("", machine.bench.files.serial_log.read_text(errors="replace"))


def expect_firmware_refusal(machine: Machine, reason: str) -> None:
    """See the firmware refuse, without a kernel being started, and any key lead to its menu, which has no shell."""
    with pytest.raises(MachineError, match=reason):
        machine.wait_for_shell()
    assert machine.watch.serial_log.stage in ("firmware", "boot loader")
    machine.send_keys("x")
    # What `watch` waits for, it waits for on a machine that has not failed; and the boot loader says it more than once.
    machine.watch.serial_log.expected = frozenset(meaning for _, meaning in FAILURES)
    machine.watch.failure = machine.watch.serial_log.failure = ""
    machine.watch.until(
        "the firmware's menu", lambda: FIRMWARE_MENU in serial_text(machine) or None, timeout_s=TIMEOUT_S
    )
    assert "shell" not in serial_text(machine).lower()


def expect_initrd_refusal(machine: Machine) -> None:
    """See the initrd say that it does not start this system, and nothing of the system run."""

    def refused() -> bool | None:
        if machine.watch.serial_log.stage == "system":
            pytest.fail("the system starts, although its owner has not signed it")
        return flat(REFUSED) in flat(serial_text(machine)) or None

    machine.watch.until("the refusal on the console", refused, timeout_s=TIMEOUT_S)
    assert machine.qmp.status() == "running"
