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
}


class StartScreen(Protocol):
    """Start ``claudine --socket … ARGUMENTS`` on a terminal of its own."""

    def __call__(self, arguments: Sequence[str] = ()) -> Screen: ...


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    # In a folder that is empty but for it, so that anything the client writes beside it is seen.
    return tmp_path / "s"


@pytest.fixture
def start_screen(socket: Path, tmp_path: Path) -> Iterator[StartScreen]:
    with ExitStack() as stack:

        def start(arguments: Sequence[str] = ()) -> Screen:
            command = [*COMMAND, "--socket", str(socket), *arguments]
            return stack.enter_context(Screen(command, {**ENV, "HOME": str(tmp_path)}))

        yield start
