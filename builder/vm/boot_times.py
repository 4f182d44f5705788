"""How long a boot took and what it waited for, by the clock outside and by the guest's own service manager.

times = boot_times(machine)          # after machine.wait_for_boot()
times.kernel                         # 5.4
"""

from dataclasses import dataclass

from builder.vm.machine import Machine

# Each begins a part of the boot, or ends the last one; microseconds on the same clock (org.freedesktop.systemd1(5)).
INITRD_STARTS, SYSTEM_STARTS, BOOT_ENDS = (f"{name}TimestampMonotonic" for name in ("InitRD", "Userspace", "Finish"))
MANAGER_TIMES = f"systemctl show --property={INITRD_STARTS},{SYSTEM_STARTS},{BOOT_ENDS}"
# A unit starts, is up, and has ended, which is all that a service of one shot does.
STARTS, IS_UP, HAS_ENDED = (f"{name}TimestampMonotonic" for name in ("InactiveExit", "ActiveEnter", "InactiveEnter"))
UNIT_TIMES = f"systemctl show --property=Id,{STARTS},{IS_UP},{HAS_ENDED} '*.service'"
MOST_UNITS = 12


@dataclass(frozen=True)
class UnitTime:
    """A service: when it was started, in seconds after the kernel was, and how long it took to come up."""

    name: str
    start_s: float
    seconds: float


@dataclass(frozen=True)
class BootTimes:
    """The parts of a boot in seconds, as `systemd-analyze` has them, and the services that took longest, as started."""

    firmware_and_loader: float
    kernel: float
    initrd: float
    userspace: float
    units: tuple[UnitTime, ...]


def boot_times(machine: Machine, since_s: float = 0.0) -> BootTimes:
    """Return how long a boot took that is over; `since_s` is when it began, in seconds after power-on."""
    parts_us = {name: int(us) for name, us in _properties(machine.succeed(MANAGER_TIMES))}
    return BootTimes(
        firmware_and_loader=round(guest_clock_start(machine) - since_s, 3),
        kernel=parts_us[INITRD_STARTS] / 1e6,
        initrd=(parts_us[SYSTEM_STARTS] - parts_us[INITRD_STARTS]) / 1e6,
        userspace=(parts_us[BOOT_ENDS] - parts_us[SYSTEM_STARTS]) / 1e6,
        units=slowest_units(machine.succeed(UNIT_TIMES), parts_us[BOOT_ENDS]),
    )


def slowest_units(shown: str, boot_ends_us: int) -> tuple[UnitTime, ...]:
    """Return the services that took longest to come up, in the order of their start, from what UNIT_TIMES printed.

    One that was started when the boot was over does not count.
    """
    units = []
    for block in shown.strip().split("\n\n"):
        unit = dict(_properties(block))
        start, up, ended = (int(unit[name]) for name in (STARTS, IS_UP, HAS_ENDED))
        done = up if up >= start else ended
        if 0 < start <= done <= boot_ends_us:
            units.append(UnitTime(unit["Id"], start / 1e6, (done - start) / 1e6))
    slowest = sorted(units, key=lambda unit: -unit.seconds)[:MOST_UNITS]
    return tuple(sorted(slowest, key=lambda unit: (unit.start_s, unit.name)))


def guest_clock_start(machine: Machine) -> float:
    """Return when the guest's monotonic clock was zero, in seconds after power-on; off by 0.05 s at most when idle.

    That is when the kernel starts: firmware and boot loader come before it, and on a first boot the restart.
    """
    before_s = machine.watch.uptime_s
    guest_s = float(machine.succeed("cat /proc/uptime").split()[0])
    return (before_s + machine.watch.uptime_s) / 2 - guest_s


def _properties(shown: str) -> list[tuple[str, str]]:
    """Take the lines of `systemctl show` apart."""
    lines = (line.partition("=") for line in shown.splitlines())
    return [(name, value) for name, _, value in lines]
