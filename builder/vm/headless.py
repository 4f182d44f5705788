"""Errands in a machine that nobody sits at: ask its model, look at its screen."""

import shlex
import tempfile
from pathlib import Path

from builder import log
from builder.errors import BuilderError
from builder.vm import unit_state
from builder.vm.machine import BOOT_TIMEOUT_S, Machine
from builder.vm.watch import MachineError

RUNTIME_SOCKET = "/run/claudine-runtime/llama.sock"
# An emulated model writes about one word a second, and may write a long answer.
ANSWER_TIMEOUT_S = 3600.0
SCREEN_TIMEOUT_S = 300.0
# The screen counts as finished when it has stayed the same for this long: longer than the client takes to load.
SCREEN_SETTLES_S = 10.0

# The image has no curl; Python is there for the client. `/health` answers 200 once the model is loaded.
_HEALTH = f"""\
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(20)
try:
    connection.connect({RUNTIME_SOCKET!r})
    connection.sendall(b"GET /health HTTP/1.0\\r\\n\\r\\n")
    sys.exit(b" 200 " not in connection.recv(64))
except OSError as error:
    sys.exit(str(error))
"""


def check_picture(picture: Path) -> None:
    """Refuse a picture that could not be written later, before a machine boots for it."""
    hint = "Name a file in a directory that you may write to, for example --screenshot screen.png"
    if picture.is_dir():
        raise BuilderError(f"{picture} is a directory, not a file for a picture", hint=hint)
    if not picture.absolute().parent.is_dir():
        raise BuilderError(f"there is no directory {picture.parent} for the picture", hint=hint)
    try:
        # Asking for permission is not enough: root has it everywhere, also where nothing can be written.
        with tempfile.TemporaryFile(dir=picture.absolute().parent):
            pass
    except OSError as error:
        message = f"the picture cannot be written into {picture.absolute().parent}: {error.strerror}"
        raise BuilderError(message, hint=hint) from error


def runtime_unit(machine: Machine) -> str:
    """Return the unit of the model in use: the socket is a link into the folder that is called like the model."""
    target = machine.wait_until_succeeds(f"readlink {RUNTIME_SOCKET}").strip()
    return f"claudine-runtime@{target.partition('/')[0]}.service"


def wait_for_model(machine: Machine, timeout_s: float = BOOT_TIMEOUT_S) -> None:
    """Wait until the model can answer; a MachineError at once if its service fails."""
    unit = runtime_unit(machine)
    machine.wait_for_unit(unit, timeout_s)
    health = f"python3 -I -c {shlex.quote(_HEALTH)}"

    def look() -> bool | None:
        if machine.run(health).returncode == 0:
            return True
        shown = machine.run(unit_state.SHOW.format(unit=unit)).stdout
        state = unit_state.read_unit_state(shown, boot_is_over=True)
        if state.verdict == "failed":
            raise MachineError(f"{unit}: {state.reason}")
        return None

    machine.watch.until("the model being loaded", look, timeout_s=timeout_s, every_s=2.0)
    log.info(f"the model is ready ({machine.watch.uptime_s:.0f} s)")


def ask(machine: Machine, question: str, timeout_s: float = ANSWER_TIMEOUT_S) -> str:
    """Put one question to the model with the client in the guest, and return the answer alone."""
    with log.step("Asking"), machine.watch.errand("the model is at work"):
        done = machine.run(f"claudine ask -- {shlex.quote(question)}", timeout_s)
    if done.returncode != 0:
        raise MachineError(f"claudine ask failed with status {done.returncode}: {done.stderr.strip()}")
    answer = done.stdout.strip()
    if not answer:
        raise MachineError("the model gave an empty answer")
    return answer


def take_picture(machine: Machine, picture: Path, timeout_s: float = SCREEN_TIMEOUT_S) -> None:
    """Take a picture of the screen once there is text on it that stays as it is."""
    seen = ""

    def look() -> bool | None:
        nonlocal seen
        before, seen = seen, machine.console_text()
        return True if seen and seen == before else None

    machine.watch.until("text on tty1 that stays", look, timeout_s=timeout_s, every_s=SCREEN_SETTLES_S)
    machine.screenshot(picture)
