import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

import claudine
from claudine.commands import settings
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

LAYOUTS = """\
! model
  pc105           Generic 105-key PC

! layout
  al              Albanian
  us              English (US)
  fr              French
  de              German
  custom          A user-defined custom Layout

! variant
  nodeadkeys      de: German (no dead keys)
  dvorak          de: German (Dvorak)
  intl            us: English (US, intl.)

! option
  grp             Switching to another layout
"""
ZONES = """\
# comment
AR\t-3436-05827\tAmerica/Argentina/Buenos_Aires\tBuenos Aires (BA, CF)
NO\t+5955+01045\tEurope/Oslo
DE\t+5230+01322\tEurope/Berlin\tmost of Germany
"""
COUNTRIES = "# comment\nAR\tArgentina\nNO\tNorway\nDE\tGermany\n"


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


@pytest.fixture
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's lists of keyboards and time zones, shortened, and a place for what is chosen."""
    (tmp_path / "base.lst").write_text(LAYOUTS)
    (tmp_path / "zone.tab").write_text(ZONES)
    (tmp_path / "iso3166.tab").write_text(COUNTRIES)
    monkeypatch.setattr(settings, "LAYOUTS", tmp_path / "base.lst")
    monkeypatch.setattr(settings, "ZONES", tmp_path)
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
