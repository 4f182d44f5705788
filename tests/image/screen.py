"""What is on the screen, and waiting for it."""

from builder.vm.machine import Machine
from claudine.voice import screen as voice
from claudine.voice import settings

# Under emulation the client may take this long to start, or an answer to come.
TIMEOUT_S = 300.0
# What the owner of the shared machine asks before it is restarted.
TYPED = "What is the capital of Italy?"
# The screen draws these between words.
_RULES = dict.fromkeys(map(ord, "─│┌┐└┘├┤"), " ")
# With what the client greets, before and after it has drawn its screen.
GREETING = voice.GREETING.splitlines()[0]


def flat(text: str) -> str:
    """Return the words of a screen, however its lines are broken."""
    return " ".join(text.translate(_RULES).split())


def wait_for_text(machine: Machine, wanted: str, timeout_s: float = TIMEOUT_S, *, after: str = "") -> str:
    """Wait until these words are on tty1, behind the last *after* if that is given, and return the screen's words."""

    def look() -> str | None:
        seen = flat(machine.console_text())
        begin = seen.rfind(after)
        return seen if begin >= 0 and flat(wanted) in seen[begin if after else 0 :] else None

    return machine.watch.until(f"{wanted!r} on the screen", look, timeout_s=timeout_s, every_s=2.0)


def wait_for_client(machine: Machine) -> None:
    """Wait until the client is there, at its first start or at any other."""
    signs = (GREETING, settings.KEYBOARD, voice.READY)

    def look() -> bool | None:
        seen = flat(machine.console_text())
        return any(sign in seen for sign in signs) or None

    machine.watch.until("the client on the screen", look, timeout_s=TIMEOUT_S, every_s=2.0)


def wait_for_answer(machine: Machine, message: str, timeout_s: float = 2 * TIMEOUT_S) -> str:
    """Wait until the last *message* on the screen is answered, and return what stands behind it."""

    def look() -> str | None:
        behind = flat(machine.console_text()).rpartition(message)[2]
        # Her name comes with her first word, and she is ready again when she has said the last one.
        return behind if voice.CLAUDINE in behind and voice.READY in behind else None

    return machine.watch.until(f"an answer to {message!r}", look, timeout_s=timeout_s, every_s=2.0)
