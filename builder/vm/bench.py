"""Where a machine is put together: its directory held and prepared, its sockets, its TPM; QEMU comes on top."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from builder.toolchain import Toolchain
from builder.vm.accel import choose_accelerator
from builder.vm.directory import MachineDirectory, locked, open_directory, prepare
from builder.vm.disk_image import DiskImage
from builder.vm.firmware import open_firmware
from builder.vm.hardware import Hardware, Sockets, check_hardware, qemu_argv
from builder.vm.lifeline import end, wait
from builder.vm.tpm import start_tpm


@dataclass(frozen=True)
class Bench:
    """A machine that is ready to be started with `argv`; `lock` is the descriptor that QEMU should hold, too.

    What is written to the descriptor `serial_input` is typed on the serial line.
    """

    files: MachineDirectory
    sockets: Sockets
    lock: int
    serial_input: int
    argv: list[str]


@contextmanager
def set_up(
    toolchain: Toolchain, image: DiskImage, directory: Path, hardware: Hardware, *, fresh: bool
) -> Iterator[Bench]:
    """Prepare a machine in `directory`, with its TPM running; clear away afterwards. QEMU must have ended by then."""
    check_hardware(hardware)
    files = open_directory(directory)
    with locked(files) as lock, _sockets() as sockets, _pipe(sockets.serial_input) as serial_input:
        accelerator = choose_accelerator(toolchain)
        prepare(toolchain, files, image, fresh=fresh, firmware_keys=hardware.firmware_keys)
        board_id = files.board_id.read_text()
        argv = qemu_argv(hardware, accelerator, open_firmware(toolchain), files, sockets, board_id)
        bench = Bench(files, sockets, lock, serial_input, argv)
        with _tpm(toolchain, bench) if hardware.tpm else nullcontext():
            yield bench


@contextmanager
def _tpm(toolchain: Toolchain, bench: Bench) -> Iterator[None]:
    files = bench.files
    tpm = start_tpm(toolchain, files.tpm, bench.sockets.tpm, output=files.qemu_log, pass_fds=[bench.lock])
    try:
        yield
    finally:
        # It ends when QEMU hangs up, after it has written its state; only then is it asked.
        wait(tpm, 2.0)
        end(tpm)


@contextmanager
def _pipe(path: Path) -> Iterator[int]:
    os.mkfifo(path, mode=0o600)
    # For both directions: QEMU waits until somebody has it open for writing, and so would we for QEMU.
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _sockets() -> Iterator[Sockets]:
    short = os.environ.get("XDG_RUNTIME_DIR", "")
    place = short if short and len(short) < 60 and os.access(short, os.W_OK) else "/tmp"
    with tempfile.TemporaryDirectory(prefix="claudineos-", dir=place, ignore_cleanup_errors=True) as directory:
        yield Sockets(Path(directory))
