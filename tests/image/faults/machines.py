"""The machine in use that each fault works on a copy of: how it came to be, and what was kept on the way."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from builder.vm.machine import Machine
from builder.vm.serial_log import DAMAGED_BLOCK, EMERGENCY_MODE, ROOT_REFUSED
from claudine import voice
from claudine.voice import screen
from tests.image.faults.refusal import serial_text
from tests.image.screen import GREETING, TIMEOUT_S, flat, wait_for_text
from tests.support.power_cut import copy_directory, frozen

SAID = "Say one short word."
EXPECTED = frozenset({DAMAGED_BLOCK, EMERGENCY_MODE, ROOT_REFUSED})
# How often the first boot is looked at: the moments of the power cuts are short.
LOOK_EVERY_S = 0.1

SwitchOn = Callable[..., AbstractContextManager[Machine]]
Keeping = Callable[[Machine], AbstractContextManager[None]]


@dataclass(frozen=True)
class MachineInUse:
    """A machine that is switched off. `cuts` are what power cuts in its first boot would have left, by their moment."""

    directory: Path
    cuts: dict[str, Path]
    recovery_key: str
    state_offset_bytes: int


def cut(machine: Machine, target: Path, has_come: Callable[[Machine], bool]) -> Path:
    """Keep what a power cut would leave at the moment that `has_come` recognises."""
    machine.watch.until(target.name, lambda: has_come(machine) or None, timeout_s=TIMEOUT_S, every_s=LOOK_EVERY_S)
    with frozen(machine.bench.files):
        return copy_directory(machine.bench.files.path, target)


def _written_bytes(machine: Machine) -> int:
    disks = machine.qmp.execute("query-blockstats")
    return sum(int(disk["stats"]["wr_bytes"]) for disk in disks if disk.get("node-name") == "disk")


def _is_mounted(machine: Machine) -> bool:
    return machine.run("grep -q ' /var ' /proc/mounts").returncode == 0


def _greets(machine: Machine) -> bool:
    return GREETING in flat(machine.console_text())


# In the order of the first boot. The first thing that a new machine writes to its disk is the state partition.
MOMENTS: dict[str, Callable[[Machine], bool]] = {
    "while the keys are enrolled": lambda machine: "Enrolling secure boot keys" in serial_text(machine),
    "in the initrd": lambda machine: machine.watch.serial_log.stage == "initrd",
    "while the disk is made": lambda machine: _written_bytes(machine) > 0,
    "when var has just been mounted": _is_mounted,
    "when the client has just started": _greets,
}


def say_something(machine: Machine) -> None:
    """Have a short talk, which other boots can remember."""
    machine.send_keys(f"{SAID}\n")
    wait_for_text(machine, screen.CLAUDINE, after=SAID)
    machine.send_keys("\x03")
    wait_for_text(machine, voice.STOPPED)
