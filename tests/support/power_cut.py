"""What a power cut leaves of a machine, without cutting its power."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder.vm.directory import MachineDirectory


def copy_directory(source: Path, target: Path) -> Path:
    """Copy a machine that is switched off, or `frozen`, and return its new directory."""
    shutil.rmtree(target, ignore_errors=True)
    # Disks have holes.
    subprocess.run(["cp", "--recursive", "--sparse=always", source, target], check=True)
    return target


@contextmanager
def frozen(files: MachineDirectory) -> Iterator[None]:
    """Stop QEMU as SIGKILL would: what it has not written yet is not in its files. It goes on at the end of the block.

    The monitor's own command `stop` would write everything first.
    """
    process_id = _qemu(files)
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def _qemu(files: MachineDirectory) -> int:
    """Find QEMU itself, which runs within other programs."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            argv = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if argv[0].endswith(b"qemu-system-x86_64") and any(bytes(files.disk) in argument for argument in argv):
            return int(process.name)
    raise AssertionError(f"no QEMU runs in {files.path}")
