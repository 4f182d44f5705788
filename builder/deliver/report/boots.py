"""How long the boots of the test machine took, as bars on one axis of seconds after it was switched on."""

from collections.abc import Iterator
from dataclasses import dataclass

from builder.deliver.report.inputs import BootTimes, Notes

PHASES = ("firmware and boot loader", "kernel", "initrd", "system")
# Steps of the axis, in seconds; the first that gives at most six of them is taken.
STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)


@dataclass(frozen=True)
class Bar:
    """A stretch of time, in percent of the axis."""

    name: str
    at: float
    width: float
    seconds: float


@dataclass(frozen=True)
class Boot:
    """One boot: its parts, one after the other, and the services that took longest."""

    title: str
    seconds: float
    phases: tuple[Bar, ...]
    units: tuple[Bar, ...]


@dataclass(frozen=True)
class Chart:
    """The boots, and the axis that they share: its marks as (seconds, percent)."""

    boots: tuple[Boot, ...]
    marks: tuple[tuple[int, float], ...]
    accelerator: str


def boot_chart(notes: Notes, accelerator: str) -> Chart | None:
    """Lay out the boots that were recorded; None if there are none."""
    recorded = [
        (title, times)
        for title, times in (("First start", notes.first_boot), ("Restart", notes.restart))
        if times is not None
    ]
    if not recorded:
        return None
    longest = max(1.0, *(_total(times) for _, times in recorded))
    step = next((step for step in STEPS if longest / step <= 6), STEPS[-1])
    marks = tuple((second, _percent(second, longest)) for second in range(0, int(longest) + 1, step)[:20])
    return Chart(tuple(_boot(title, times, longest) for title, times in recorded), marks, accelerator)


def _boot(title: str, times: BootTimes, longest: float) -> Boot:
    kernel_starts = times.firmware_and_loader
    units = tuple(
        _bar(unit.name.removesuffix(".service"), kernel_starts + unit.start_s, unit.seconds, longest)
        for unit in times.units
    )
    return Boot(title, _total(times), tuple(_phases(times, longest)), units)


def _phases(times: BootTimes, longest: float) -> Iterator[Bar]:
    at = 0.0
    for name, seconds in zip(PHASES, _parts(times), strict=True):
        yield _bar(name, at, seconds, longest)
        at += seconds


def _bar(name: str, at: float, seconds: float, longest: float) -> Bar:
    return Bar(name, _percent(at, longest), _percent(seconds, longest), seconds)


def _percent(seconds: float, longest: float) -> float:
    return round(min(max(100 * seconds / longest, 0.0), 100.0), 2)


def _parts(times: BootTimes) -> tuple[float, ...]:
    return times.firmware_and_loader, times.kernel, times.initrd, times.userspace


def _total(times: BootTimes) -> float:
    return sum(_parts(times))
