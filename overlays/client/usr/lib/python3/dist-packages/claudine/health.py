"""How the machine is: memory, temperature, how long it has been on. Everything is read from the kernel."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from claudine.text import printable

# Absolute zero and worse is what broken sensors say; nothing that still answers is hotter than this.
_COLDEST, _HOTTEST = -100.0, 200.0


@dataclass(frozen=True)
class Sensor:
    """A temperature, and what measures it."""

    name: str
    celsius: float


@dataclass(frozen=True)
class Health:
    """What there is to know; None where the kernel does not say. *sensors* is empty on machines without any."""

    memory_bytes: int | None = None
    memory_free_bytes: int | None = None
    up_s: float | None = None
    sensors: tuple[Sensor, ...] = ()

    @property
    def hottest(self) -> Sensor | None:
        """Return the sensor that says most, if there is one."""
        return max(self.sensors, key=lambda sensor: sensor.celsius, default=None)


def look(root: Path = Path("/")) -> Health:
    """Read what there is to know now. Never raises."""
    memory = _memory(_read(root / "proc/meminfo"))
    return Health(
        memory.get("MemTotal"),
        memory.get("MemAvailable"),
        _number(_read(root / "proc/uptime").partition(" ")[0]),
        tuple(_sensors(root)),
    )


def _memory(meminfo: str) -> dict[str, int]:
    found = {}
    for line in meminfo.splitlines():
        name, _, rest = line.partition(":")
        value = _number(rest.removesuffix("kB"))
        if value is not None:
            found[name] = int(value) * 1024
    return found


def _sensors(root: Path) -> Iterator[Sensor]:
    # The kernel has two lists of sensors, and many processors are in one of them only.
    for file in sorted((root / "sys/class/hwmon").glob("hwmon*/temp*_input")):
        label = file.with_name(file.name.replace("_input", "_label"))
        yield from _sensor(file, _read(label) or _read(file.with_name("name")))
    for file in sorted((root / "sys/class/thermal").glob("thermal_zone*/temp")):
        yield from _sensor(file, _read(file.with_name("type")))


def _sensor(file: Path, name: str) -> Iterator[Sensor]:
    thousandths = _number(_read(file))
    if thousandths is not None and _COLDEST < thousandths / 1000 < _HOTTEST:
        yield Sensor(printable(name) or "sensor", thousandths / 1000)


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
