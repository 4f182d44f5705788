"""What a person meets when the disk does not open: the rescue screen, on which there is no shell."""

import pytest

from builder.vm.machine import Machine
from claudine.voice import screen as client_voice
from claudine_state import voice
from claudine_state.diagnosis import Kind
from claudine_state.facts import Facts
from tests.image.faults.machines import SAID
from tests.image.screen import GREETING, TIMEOUT_S, flat

RESCUE = "emergency.service"
# Each process that reads anything, and what it reads.
READERS = "cd /proc && for process in [0-9]*; do echo $process $(readlink $process/fd/0 || echo -); done"
TERMINALS = ("/dev/tty", "/dev/console", "/dev/pts")


def wait_for_rescue(machine: Machine, kind: Kind, facts: Facts | None = None) -> str:
    """Wait until the screen says what is wrong, and return its words; fail if the client is there instead."""
    wanted = flat(voice.problem(kind, facts or Facts(unlock="tpm2")))

    def look() -> str | None:
        seen = flat(machine.console_text())
        if GREETING in seen:
            pytest.fail("the machine starts as if nothing were the matter")
        return seen if wanted in seen else None

    seen = machine.watch.until(f"{kind.name} on the screen", look, timeout_s=TIMEOUT_S, every_s=2.0)
    expect_only_rescue(machine)
    return seen


def expect_only_rescue(machine: Machine) -> None:
    """See that tty1 belongs to the rescue screen, that nothing else waits for keys, and that it stays."""
    assert machine.succeed(f"systemctl is-active {RESCUE}").strip() == "active"
    main = machine.succeed(f"systemctl show --property=MainPID --value {RESCUE}").strip()
    readers = machine.succeed(READERS)
    on_terminals = [line.split()[0] for line in readers.splitlines() if line.split()[1].startswith(TERMINALS)]
    assert on_terminals == [main]
    # Ctrl+C, Ctrl+D and Ctrl+Z leave it where it is; Ctrl+U clears the line that they may be on.
    machine.send_keys("\x03\x04\x1a\x15")
    assert machine.succeed(f"systemctl show --property=MainPID --value {RESCUE}").strip() == main


def wait_for_chat(machine: Machine, *, after_rescue: bool = False) -> None:
    """Wait until the client goes on with what was said before; fail if somebody is asked for help instead."""

    def look() -> bool | None:
        seen = flat(machine.console_text())
        if not after_rescue and flat(voice.ASK_RECOVERY_KEY) in seen:
            pytest.fail("the disk did not open by itself")
        return (client_voice.READY in seen and SAID in seen) or None

    machine.watch.until("the conversation on the screen", look, timeout_s=TIMEOUT_S, every_s=2.0)


def expect_running(machine: Machine) -> None:
    """See that nothing is left of the trouble."""
    machine.wait_for_boot()
    assert machine.succeed("systemctl --failed --plain --no-legend") == ""
    assert machine.succeed("systemctl is-system-running").strip() == "running"
