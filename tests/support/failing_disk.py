"""Disks that fail while they are written to, at a place of one's choice; files stand for them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from builder.deliver.target import Target


class PowerCutDisk(Target):
    """Whoever writes to a place is killed before he has."""

    def __init__(self, descriptor: int, place: int) -> None:
        super().__init__(descriptor)
        self._place = place

    def write(self, offset: int, data: memoryview) -> None:
        if offset <= self._place < offset + len(data):
            self.fail()
        super().write(offset, data)

    def fail(self) -> None:
        """Do what happens there."""
        os.kill(os.getpid(), signal.SIGKILL)


class RaisingDisk(PowerCutDisk):
    """An error, or a person's Ctrl+C, comes when a place is written to; only once, as people do."""

    def __init__(self, descriptor: int, place: int, error: BaseException) -> None:
        super().__init__(descriptor, place)
        self._error: BaseException | None = error

    def fail(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error


class ForgetfulDisk(PowerCutDisk):
    """Says that it has written to a place, and has not."""

    def write(self, offset: int, data: memoryview) -> None:
        if not offset <= self._place < offset + len(data):
            super().write(offset, data)


def cut_power(image: Path, disk: Path, place: int) -> int:
    """Have another process write an image to a disk as far as a place; return its exit code, -9 if it was killed."""
    program = """
import os, sys
from builder.deliver.write import write_image
from tests.support.failing_disk import PowerCutDisk
image, disk = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_RDWR)
write_image(image, os.fstat(image).st_size, PowerCutDisk(disk, int(sys.argv[3])))
"""
    root = Path(__file__).parents[2]
    return subprocess.run([sys.executable, "-c", program, image, disk, str(place)], cwd=root, check=False).returncode
