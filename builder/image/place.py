"""Places that one build at a time works in, and that a killed build may have left full."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder import log


@contextmanager
def locked(lock_file: Path) -> Iterator[None]:
    """Hold a lock; wait, and say so, while another build holds it. The kernel lets go of it when we die."""
    with lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info(f"Another build is at work ({lock_file}); waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def emptied(directory: Path) -> Iterator[Path]:
    """Make an empty directory and take it away again. Needs a lock: what is found there is left by a killed build."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
