"""The boot menu, as a person gets there: with the space bar held down while the machine starts."""

import time
from enum import IntEnum

from builder.vm.machine import Machine
from tests.image.faults.refusal import serial_text
from tests.image.screen import TIMEOUT_S

# Its second line, which no other text has.
SIGN = "Check this machine"
# The boot loader looks for a key for a tenth of a second.
HOLD_EVERY_S = 0.05
# What was typed before the menu listened has to be used up.
SETTLES_S = 3.0


class Entry(IntEnum):
    """The entries from the top; the last one is there while the firmware is in setup mode."""

    CLAUDINE = 0
    CHECK = 1
    ENROLL = 2


def choose(machine: Machine, entry: Entry) -> None:
    """Bring the menu up on a machine that is starting, go down to an entry, and press Enter."""
    before = len(serial_text(machine))

    def is_shown() -> bool | None:
        machine.tap("spc")
        return SIGN in serial_text(machine)[before:] or None

    machine.watch.until("the boot menu", is_shown, timeout_s=TIMEOUT_S, every_s=HOLD_EVERY_S)
    time.sleep(SETTLES_S)
    for _ in range(entry):
        machine.press("down")
    machine.press("ret")
