"""A file as a disk: a loop device, which takes root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def loop_device(file: Path, *options: str) -> Iterator[str]:
    """Attach a file, and yield the path of its device; skips the test where that is not possible."""
    attach = ["losetup", "--find", "--show", *options, str(file)]
    attached = subprocess.run(attach, capture_output=True, text=True) if os.geteuid() == 0 else None
    if attached is None or attached.returncode:
        pytest.skip("a loop device takes root")
    device = attached.stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
