"""What is on the screen, and waiting for it."""

from builder.vm.machine import Machine

# Under emulation the client may take this long to start, or an answer to come.
TIMEOUT_S = 300.0
# What the owner of the shared machine asks before it is restarted.
TYPED = "What is the capital of Italy?"


def flat(text: str) -> str:
    """Return the words of a screen, however its lines are broken."""
    return " ".join(text.split())


def wait_for_text(machine: Machine, wanted: str, timeout_s: float = TIMEOUT_S, *, after: str = "") -> str:
    """Wait until these words are on tty1, behind the last *after* if that is given, and return the screen's words."""

    def look() -> str | None:
        seen = flat(machine.console_text())
        begin = seen.rfind(after)
        return seen if begin >= 0 and flat(wanted) in seen[begin if after else 0 :] else None

    return machine.watch.until(f"{wanted!r} on the screen", look, timeout_s=timeout_s, every_s=2.0)
