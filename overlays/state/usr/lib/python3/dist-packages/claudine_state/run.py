"""The one door to other programs: lists of arguments, a small environment, nothing inherited on standard input."""

import subprocess
from collections.abc import Sequence
from typing import Protocol

from claudine_state.text import printable

# No colours and no QR codes in what we keep of a program's output.
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}


class CommandError(Exception):
    """A program failed. ``str()`` is one line for a person, without anything that was handed to the program."""

    def __init__(self, argv: Sequence[str], returncode: int, stderr: str) -> None:
        lines = [line for line in map(printable, stderr.splitlines()) if line]
        super().__init__(f"{argv[0]}: {lines[-1].lstrip() if lines else f'it ended with exit code {returncode}'}")
        self.returncode = returncode


class Runner(Protocol):
    """What runs programs: :func:`run`, or a simulation of them."""

    def __call__(self, argv: Sequence[str], *, stdin: bytes = b"", on_screen: bool = False) -> bytes:
        """Run *argv* and return what it printed."""
        ...


def run(argv: Sequence[str], *, stdin: bytes = b"", on_screen: bool = False) -> bytes:
    """Run *argv* to its end and return its standard output. Secrets go through *stdin*, never into *argv*.

    *on_screen* leaves its output to the terminal, for progress that a person wants to see. Raises CommandError.
    """
    output = None if on_screen else subprocess.PIPE
    try:
        done = subprocess.run(argv, input=stdin, stdout=output, stderr=output, env=_ENVIRONMENT, check=False)
    except OSError as error:
        raise CommandError(argv, 127, str(error)) from error
    if done.returncode:
        raise CommandError(argv, done.returncode, (done.stderr or b"").decode(errors="replace"))
    return done.stdout or b""
