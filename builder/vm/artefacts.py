"""What is kept of a machine that failed: its logs, its screen, its journal.

Each piece is taken if it can be had; a machine that has gone wrong is allowed to refuse any of them.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from builder.errors import BuilderError

if TYPE_CHECKING:
    from builder.vm.machine import Machine

# A whole boot fits in; under emulation it takes some seconds, and a guest that hangs should not hold up what follows.
JOURNAL_LINES = 3000
JOURNAL_TIMEOUT_S = 30.0


def keep_artefacts(machine: "Machine", directory: Path) -> list[Path]:
    """Put serial.log, qemu.log, screenshot.png and journal.txt into `directory`; return those that could be had."""
    directory.mkdir(parents=True, exist_ok=True)
    files = machine.bench.files
    takers: dict[str, Callable[[Path], object]] = {
        "serial.log": lambda target: shutil.copyfile(files.serial_log, target),
        "qemu.log": lambda target: shutil.copyfile(files.qemu_log, target),
        "screenshot.png": machine.screenshot,
        "journal.txt": lambda target: _keep_journal(machine, target),
    }
    return [directory / name for name, take in takers.items() if _taken(take, directory / name)]


def _taken(take: Callable[[Path], object], target: Path) -> bool:
    target.unlink(missing_ok=True)
    try:
        take(target)
    except (BuilderError, OSError):
        return False
    return target.exists() and target.stat().st_size > 0


def _keep_journal(machine: "Machine", target: Path) -> None:
    shell = machine.watch.shell
    if shell is None or not shell.is_ready:
        return
    # What the machine has failed with is known by now, and must not keep us from asking it.
    on_tick, shell.on_tick = shell.on_tick, lambda: None
    try:
        read = f"journalctl --boot --lines={JOURNAL_LINES} --no-pager --output=short-monotonic"
        answer = shell.run_binary(read, JOURNAL_TIMEOUT_S)
    finally:
        shell.on_tick = on_tick
    target.write_bytes(answer.stdout)
