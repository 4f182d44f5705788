"""A machine's directory: what a virtual machine remembers between two runs.

    vars.fd      firmware variables, the enrolled Secure Boot keys among them
    tpm/         state of the TPM
    board-id     the board's UUID, from which the guest derives its machine id
    disk.qcow2   what the machine has written; everything else is read from the image, which is never written to
    serial.log   what came out of the serial line, this run
    network.pcap what went over the network card's cable, this run
    qemu.log     what QEMU and swtpm said, this run
    machine.json which image all of this belongs to
    lock         held as long as a QEMU runs here

Another image means another disk, as if it had just been flashed; the firmware and the TPM stay if the image enrols
the same keys (it spares a restart), and start afresh if not: with the old keys they would refuse it.
"""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder import log
from builder.errors import BuilderError, ToolError
from builder.run import run
from builder.toolchain import Toolchain
from builder.vm.disk_image import DiskImage, enrolled_keys
from builder.vm.firmware import FirmwareKeys, open_firmware, reset_variables

# The disk is larger than the image, as a real one is: the first boot makes the state partition there.
LEAST_DISK_BYTES = 8 << 30
LEAST_FREE_BYTES = 512 << 20


@dataclass(frozen=True)
class MachineDirectory:
    """The files of one machine, below `path` (absolute)."""

    path: Path

    @property
    def variables(self) -> Path:
        """Firmware variables."""
        return self.path / "vars.fd"

    @property
    def tpm(self) -> Path:
        """State of the TPM."""
        return self.path / "tpm"

    @property
    def board_id(self) -> Path:
        """The board's UUID."""
        return self.path / "board-id"

    @property
    def disk(self) -> Path:
        """What the machine has written."""
        return self.path / "disk.qcow2"

    @property
    def serial_log(self) -> Path:
        """The serial line, this run."""
        return self.path / "serial.log"

    @property
    def qemu_log(self) -> Path:
        """Output of QEMU and swtpm, this run."""
        return self.path / "qemu.log"

    @property
    def network_capture(self) -> Path:
        """Each frame on the network card's cable, this run (pcap); there if the machine has a card."""
        return self.path / "network.pcap"

    @property
    def record(self) -> Path:
        """Which image this belongs to."""
        return self.path / "machine.json"


def open_directory(path: Path) -> MachineDirectory:
    """Make a machine's directory if need be; refuse one that cannot hold a machine."""
    path = path.absolute()
    if "," in str(path):
        raise BuilderError(f"{path} has a comma in its name, which swtpm does not understand")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuilderError(f"{path} cannot be a machine's directory: {error.strerror}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise BuilderError(f"you may not write into the machine's directory {path}")
    free_bytes = shutil.disk_usage(path).free
    if free_bytes < LEAST_FREE_BYTES:
        raise ToolError(
            f"only {free_bytes >> 20} MiB are free in {path}; a machine begins with {LEAST_FREE_BYTES >> 20} MiB",
            hint="Free some, or keep the machine elsewhere: --machine DIR",
        )
    return MachineDirectory(path)


@contextmanager
def locked(directory: MachineDirectory) -> Iterator[int]:
    """Hold the directory; refuse if a machine runs in it. The value is the lock's file descriptor.

    Hand the descriptor on to QEMU: should we be killed, the lock lasts as long as the last of us.
    """
    descriptor = os.open(directory.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuilderError(
                f"a machine is running in {directory.path}",
                hint="Power it off, or start another one beside it, for example --machine /tmp/second",
            ) from None
        yield descriptor
    finally:
        os.close(descriptor)


def prepare(
    toolchain: Toolchain,
    directory: MachineDirectory,
    image: DiskImage,
    *,
    fresh: bool,
    firmware_keys: FirmwareKeys = "none",
) -> None:
    """Make the directory fit `image`: keep what belongs to it, make anew what does not. Needs the lock.

    `firmware_keys` are those of a new machine; one that has run keeps what it has.
    """
    known = {} if fresh else _read_record(directory)
    for log_file in (directory.serial_log, directory.qemu_log):
        log_file.write_bytes(b"")
    identity = {"path": str(image.path), "size_bytes": image.size_bytes, "mtime_ns": image.mtime_ns}
    if known.get("image") == identity:
        return
    keys = enrolled_keys(toolchain, image)
    if known:
        log.info("the image has changed since this machine last ran: its disk is made anew")
    # Gone first: an interruption below leaves a directory that is prepared again, never one that is half of each.
    directory.record.unlink(missing_ok=True)
    if not (known and keys and known.get("enrolled_keys") == keys):
        if known:
            log.info("it enrols other Secure Boot keys: firmware variables and TPM start afresh")
        reset_variables(open_firmware(toolchain, firmware_keys), directory.variables)
        shutil.rmtree(directory.tpm, ignore_errors=True)
        directory.board_id.write_text(str(uuid.uuid4()))
    _create_disk(toolchain, directory.disk, image)
    beside = directory.record.with_suffix(".new")
    beside.write_text(json.dumps({"schema": 1, "image": identity, "enrolled_keys": keys}, indent=2) + "\n")
    beside.replace(directory.record)


def _read_record(directory: MachineDirectory) -> dict[str, object]:
    """Return what is known of the last run, {} if nothing, or nothing that can be relied on."""
    if not all(path.is_file() for path in (directory.variables, directory.board_id, directory.disk)):
        return {}
    try:
        record = json.loads(directory.record.read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) and record.get("schema") == 1 else {}


def _create_disk(toolchain: Toolchain, disk: Path, image: DiskImage) -> None:
    disk.unlink(missing_ok=True)
    size_bytes = max(image.size_bytes, LEAST_DISK_BYTES)
    create = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(image.path), str(disk), str(size_bytes)]
    run(toolchain.box(create), hint="qemu-img comes from the tools tree (Debian's package qemu-utils)")
