"""What the tests found: how each service is confined, and which checks passed, by what they are about."""

from collections import defaultdict
from dataclasses import dataclass

from builder.deliver.report.inputs import Check, Setting, TestRun

OUTCOMES = ("failed", "skipped", "passed")


@dataclass(frozen=True)
class Unit:
    """A service: how many of the settings that apply to it are in force, and which are not."""

    name: str
    in_force: int
    applicable: int
    left_open: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """The checks about one thing, failed ones first."""

    title: str
    checks: tuple[Check, ...]

    def count(self, outcome: str) -> int:
        """Return how many checks ended so."""
        return sum(check.outcome == outcome for check in self.checks)


def confined_units(tests: TestRun) -> tuple[Unit, ...]:
    """Return the services as `systemd-analyze security` judged them, the least confined first."""
    units = [_unit(name, settings) for name, settings in tests.notes.unit_security.items()]
    return tuple(sorted(units, key=lambda unit: (unit.in_force - unit.applicable, unit.name)))


def topics(tests: TestRun) -> tuple[Topic, ...]:
    """Return the checks by topic; topics with failed checks come first."""
    by_topic: dict[str, list[Check]] = defaultdict(list)
    for check in tests.checks:
        by_topic[check.topic or "all checks"].append(check)
    listed = [Topic(title, tuple(sorted(checks, key=_urgency))) for title, checks in by_topic.items()]
    return tuple(sorted(listed, key=lambda topic: (topic.count("failed") == 0, topic.title)))


def _unit(name: str, settings: list[Setting]) -> Unit:
    applicable = sum(setting.set is not None for setting in settings)
    open_ = [setting.name for setting in settings if setting.set is False]
    # The tests look at a unit that is started for each connection by starting it under a name of its own.
    return Unit(name.replace("@judged.", "@."), applicable - len(open_), applicable, _by_setting(open_))


def _by_setting(names: list[str]) -> tuple[str, ...]:
    """Return settings by their names in systemd.exec(5); of one that has parts (`SystemCallFilter=~@mount`), these."""
    parts: dict[str, list[str]] = {}
    for name in names:
        setting, _, part = name.partition("=")
        parts.setdefault(setting, []).extend([part[1:]] if part.startswith("~") else [])
    return tuple(f"{setting} ({', '.join(those)})" if those else setting for setting, those in parts.items())


def _urgency(check: Check) -> int:
    return OUTCOMES.index(check.outcome) if check.outcome in OUTCOMES else 0
