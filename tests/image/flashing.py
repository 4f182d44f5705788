"""Flashing a disk as a person does it, at a terminal."""

import os
import sys
from pathlib import Path

from tests.support.loop_device import loop_device
from tests.support.screen import Screen

# Every block of the image is hashed, written and read back meanwhile, on a host that may be busy.
PATIENCE_S = 300.0


def flash(image: Path, file: Path) -> None:
    """Write an image to a disk, for which a file stands."""
    with loop_device(file) as device:
        command = [sys.executable, "-m", "builder.cli", "flash", str(image), device]
        with Screen(command, {**os.environ, "TERM": "dumb"}, patience_s=PATIENCE_S) as screen:
            screen.wait_for(f"Type {Path(device).name} to go on")
            screen.type(f"{Path(device).name}\r")
            screen.wait_for("safe to remove")
            assert screen.wait_for_end() == 0


def sparse_file(path: Path, size_bytes: int) -> Path:
    """Make a file that takes no room yet."""
    path.touch()
    os.truncate(path, size_bytes)
    return path
