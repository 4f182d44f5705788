"""How well our units are confined, in systemd's own judgement (systemd-analyze(1), "security")."""

import json
from collections.abc import Callable
from typing import Any

import pytest

# From 0 (safe) to 10.
MOST_EXPOSURE = 2.0


@pytest.fixture(scope="session")
def units(host: Any) -> list[str]:
    """Units of ours, as they were loaded; and one of each kind that is started for a moment, when somebody asks."""
    loaded = host.check_output("systemctl list-units --all --plain --no-legend 'claudine-*.service'")
    templates = host.check_output("systemctl list-unit-files --plain --no-legend 'claudine-*@.service'")
    return [
        *(name for name, load, *_ in map(str.split, loaded.splitlines()) if load == "loaded"),
        *(line.split()[0].replace("@.", "@judged.") for line in templates.splitlines()),
    ]


def test_units_of_ours_are_well_confined(
    host: Any, units: list[str], record_note: Callable[[str, object], None]
) -> None:
    started_for_a_moment = {f"claudine-{name}@judged.service" for name in ("connect", "model", "models", "state")}
    assert {"claudine-network.service", *started_for_a_moment} <= set(units)
    assert any(unit.startswith("claudine-runtime@") for unit in units)
    tables: dict[str, object] = {}
    too_exposed = []
    for unit in units:
        judge = f"systemd-analyze security --no-pager --json=short --threshold={MOST_EXPOSURE * 10:.0f}"
        judged = host.run(f"{judge} {unit}")
        tables[unit] = json.loads(judged.stdout)
        if judged.rc != 0:
            too_exposed.append(unit)
    record_note("unit_security", tables)
    assert too_exposed == [], f"exposed by more than {MOST_EXPOSURE}: {', '.join(too_exposed)}"
