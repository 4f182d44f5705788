"""Keyboards, temperature sensors and watchdogs."""

from dataclasses import dataclass

from claudine_preflight import sysfs
from claudine_state.host import Host
from claudine_state.text import printable

# Codes of the three rows of letters (linux/input-event-codes.h): a power button is a keyboard with one key.
_LETTERS = (*range(16, 26), *range(30, 39), *range(44, 51))
_WORD_BITS = 64


@dataclass(frozen=True)
class Sensor:
    """A chip that measures temperatures; of several, *celsius* is the highest."""

    name: str
    celsius: float


@dataclass(frozen=True)
class Devices:
    """What else is in the machine, by name."""

    keyboards: tuple[str, ...]
    sensors: tuple[Sensor, ...]
    watchdogs: tuple[str, ...]


def look(host: Host) -> Devices:
    """Look for them."""
    watchdogs = (sysfs.value(path / "identity") for path in sorted((host.root / "sys/class/watchdog").glob("*")))
    return Devices(_keyboards(host), _sensors(host), tuple(name for name in watchdogs if name))


def _keyboards(host: Host) -> tuple[str, ...]:
    listed = host.root / "proc/bus/input/devices"
    text = listed.read_text(errors="replace") if listed.exists() else ""
    return tuple(name for name, keys in map(_keys, text.split("\n\n")) if all(keys >> code & 1 for code in _LETTERS))


def _keys(block: str) -> tuple[str, int]:
    """Return a device's name and its keys as bits; the kernel writes words of bits, the highest first."""
    name, keys = "", 0
    for line in block.splitlines():
        if line.startswith("N: Name="):
            name = printable(line.removeprefix("N: Name=").strip('"'))
        elif line.startswith("B: KEY="):
            for word in line.removeprefix("B: KEY=").split():
                keys = keys << _WORD_BITS | int(word, 16)
    return name, keys


def _sensors(host: Host) -> tuple[Sensor, ...]:
    found = []
    for path in sorted((host.root / "sys/class/hwmon").glob("*")):
        # Thousandths of a degree (hwmon's sysfs interface).
        measured = [sysfs.number(file) for file in path.glob("temp*_input")]
        degrees = [value / 1000 for value in measured if value is not None]
        if degrees:
            found.append(Sensor(sysfs.value(path / "name") or path.name, max(degrees)))
    return tuple(found)
