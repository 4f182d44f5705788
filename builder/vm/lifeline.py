"""Programs that run beside us and must never outlive us.

A machine is two programs (QEMU and a TPM), each inside a box that is a program of its own. When we end in the
ordinary way we stop them ourselves; when we are killed the kernel does it: the box gets SIGTERM as its parent
dies (it cleans up and passes the signal on), and what runs in it gets SIGKILL as the box dies (prctl(2),
PR_SET_PDEATHSIG, through setpriv(1), on both sides of the box).
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from builder.run import start
from builder.toolchain import Toolchain

POLL_S = 0.1


class Process(Protocol):
    """What is used of a program that `builder.run.start` started."""

    def poll(self) -> int | None:
        """Return the exit status, None while it runs."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it."""


def tied(toolchain: Toolchain, argv: Sequence[str]) -> list[str]:
    """Return the argument list that runs `argv` in the tools tree and ends it when we end."""
    inside = ["setpriv", "--pdeathsig", "KILL", "--", *argv]
    return ["setpriv", "--pdeathsig", "TERM", "--", *toolchain.box(inside)]


def start_tied(toolchain: Toolchain, argv: Sequence[str], *, output: Path, pass_fds: Sequence[int] = ()) -> Process:
    """Start `argv` from the tools tree beside us, its output going to a file.

    The kernel means the *thread* that starts it when it says parent: call this from one that stays.
    """
    return start(tied(toolchain, argv), output=output, pass_fds=pass_fds)


def wait(process: Process, timeout_s: float) -> bool:
    """Wait for a program to end; say whether it did within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while process.poll() is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def end(process: Process, *, patience_s: float = 5.0) -> None:
    """Make sure that a program has ended: asked first, then killed."""
    if process.poll() is not None:
        return
    process.terminate()
    if not wait(process, patience_s):
        process.kill()
        wait(process, patience_s)
