import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

import claudine
from tests.support.screen import Screen

COMMAND = [sys.executable, "-W", "error", "-m", "claudine"]
ENV = {
    "PATH": os.environ["PATH"],
    "TERM": "linux",
    "LC_ALL": "C.UTF-8",
    "PYTHONPATH": str(Path(claudine.__file__).parents[1]),
    # An owner's ~/.inputrc must not change what the tests see.
    "INPUTRC": os.devnull,
    # Nor what was said on a machine that keeps conversations.
    "STATE_DIRECTORY": "/nonexistent",
}


class StartScreen(Protocol):
    """Start ``claudine --socket … ARGUMENTS`` on a terminal of its own, which passes for the one called *tty*."""

    def __call__(self, arguments: Sequence[str] = (), *, tty: str = "", **env: str) -> Screen: ...


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    # In a folder that is empty but for it, so that anything the client writes beside it is seen.
    return tmp_path / "s"


@pytest.fixture
def start_screen(socket: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartScreen]:
    with ExitStack() as stack:

        def start(arguments: Sequence[str] = (), *, tty: str = "", **env: str) -> Screen:
            command = [*COMMAND, "--plain", "--socket", str(socket), *arguments]
            env = {**ENV, "HOME": str(tmp_path), **env}
            if tty:
                env["PYTHONPATH"] += f":{disguise(tmp_path_factory.mktemp('disguise'), tty)}"
            return stack.enter_context(Screen(command, env))

        yield start


def disguise(folder: Path, tty: str) -> Path:
    """Make *folder* one with which, in PYTHONPATH, every terminal passes for the one called *tty*."""
    # Python runs this file at its start.
    (folder / "sitecustomize.py").write_text(f"import os\nos.ttyname = lambda fd: '/dev/{tty}'\n")
    return folder
