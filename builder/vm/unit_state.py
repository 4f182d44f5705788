"""Where a systemd unit of the guest stands: up, still coming, or never going to.

A missing unit, a failed one and a slow one look the same to somebody who only waits. `systemctl show` tells them
apart.
"""

from dataclasses import dataclass

SHOW = "systemctl show --property=LoadState,ActiveState,SubState,Result,ConditionResult,Job,NRestarts -- {unit}"
# Restart=always hides a unit that cannot start behind "activating" and short moments of "active"; so many
# restarts are not slowness.
HOPELESS_RESTARTS = 5


@dataclass(frozen=True)
class UnitState:
    """`verdict` is up, coming or failed; `reason` says what systemd says."""

    verdict: str
    reason: str


def read_unit_state(shown: str, *, boot_is_over: bool) -> UnitState:
    """Judge what `SHOW` wrote. A unit that is not active, and that nobody is starting, has failed once boot is over."""
    properties = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    loaded, active = properties.get("LoadState", ""), properties.get("ActiveState", "")
    state = f"{active} ({properties.get('SubState', '')})"
    if int(properties.get("NRestarts") or 0) >= HOPELESS_RESTARTS:
        return UnitState("failed", f"it does not stay up: restarted {properties['NRestarts']} times, {state}")
    match loaded, active:
        case "not-found", _:
            return UnitState("failed", "there is no such unit in the image")
        case "masked" | "bad-setting" | "error", _:
            return UnitState("failed", f"systemd cannot load it: {loaded}")
        case _, "active" | "reloading":
            return UnitState("up", state)
        case _, "failed":
            return UnitState("failed", f"it failed: {properties.get('Result', '')}")
    if boot_is_over and active == "inactive" and properties.get("Job", "0") in ("", "0"):
        unmet = ", a condition of it is not met" if properties.get("ConditionResult") == "no" else ""
        return UnitState("failed", f"nothing starts it{unmet}")
    return UnitState("coming", state)
