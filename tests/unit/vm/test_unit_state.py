import pytest

from builder.vm.unit_state import read_unit_state


def shown(**properties: str) -> str:
    usual = {
        "LoadState": "loaded",
        "ActiveState": "inactive",
        "SubState": "dead",
        "Result": "success",
        "NRestarts": "0",
    }
    return "\n".join(f"{name}={value}" for name, value in (usual | properties).items())


@pytest.mark.parametrize(
    ("properties", "boot_is_over", "verdict", "reason"),
    [
        ({"ActiveState": "active", "SubState": "running"}, False, "up", "active (running)"),
        ({"ActiveState": "activating", "SubState": "start"}, True, "coming", "activating (start)"),
        ({"Job": "17"}, True, "coming", "inactive (dead)"),
        ({}, False, "coming", "inactive (dead)"),
        ({}, True, "failed", "nothing starts it"),
        ({"ConditionResult": "no"}, True, "failed", "a condition of it is not met"),
        ({"LoadState": "not-found"}, False, "failed", "no such unit"),
        ({"LoadState": "masked"}, False, "failed", "masked"),
        ({"LoadState": "bad-setting"}, False, "failed", "bad-setting"),
        ({"ActiveState": "failed", "Result": "exit-code"}, False, "failed", "exit-code"),
        ({"ActiveState": "activating", "SubState": "auto-restart", "NRestarts": "1"}, False, "coming", "auto-restart"),
        ({"ActiveState": "activating", "SubState": "auto-restart", "NRestarts": "5"}, False, "failed", "5 times"),
        ({"ActiveState": "active", "SubState": "running", "NRestarts": "9"}, False, "failed", "9 times"),
    ],
)
def test_a_missing_a_failed_and_a_slow_unit_are_told_apart(
    properties: dict[str, str], boot_is_over: bool, verdict: str, reason: str
) -> None:
    state = read_unit_state(shown(**properties), boot_is_over=boot_is_over)
    assert state.verdict == verdict
    assert reason in state.reason
