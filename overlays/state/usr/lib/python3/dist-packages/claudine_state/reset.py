"""Starting over: the keys are destroyed, and the next boot makes a new, empty disk.

systemd-repart never formats a partition that exists. It deletes and makes anew those with ``FactoryReset=yes`` when
systemd's factory reset has been requested (systemd-factory-reset(8)): an EFI variable, honoured at the next boot.
"""

import os
import sys

from claudine_state.host import Host
from claudine_state.run import CommandError

_TOOL = "/usr/lib/systemd/systemd-factory-reset"
_STATUS_ON = 10
# Both LUKS2 headers and all key slots are in the first 16 MiB; a header made elsewhere may be twice as long.
_HEADER_SIZE = 32 * 1024 * 1024
_BLOCK = bytes(1024 * 1024)


def is_resetting(host: Host) -> bool:
    """Say whether this boot is the one that carries out a factory reset."""
    try:
        host.run([_TOOL, "status", "--quiet"])
    except CommandError as error:
        return error.returncode == _STATUS_ON
    return False


def request_reset(host: Host) -> None:
    """Ask for a new disk at the next boot. Nothing is lost yet. Raises CommandError."""
    try:
        host.run([_TOOL, "request"])
    except CommandError:
        # Refused while this boot is itself a reset, one that failed; then the request still stands.
        if not is_resetting(host):
            raise


def erase_and_restart(host: Host) -> None:
    """Destroy every key of the disk, then restart. Raises CommandError, OSError.

    Done although the reset will delete the partition: without its key slots nobody can read the data any more, even
    if power fails now.
    """
    try:
        host.run(["cryptsetup", "luksErase", "--batch-mode", str(host.partition)])
    except CommandError as error:
        # Perhaps there is no header left; it is overwritten in any case.
        print(f"The key slots could not be erased one by one: {error}", file=sys.stderr)
    _overwrite_header(host)
    host.run(["systemctl", "reboot"])


def _overwrite_header(host: Host) -> None:
    descriptor = os.open(host.partition, os.O_WRONLY | os.O_CLOEXEC)
    try:
        left = min(_HEADER_SIZE, os.lseek(descriptor, 0, os.SEEK_END))
        os.lseek(descriptor, 0, os.SEEK_SET)
        while left:
            left -= os.write(descriptor, _BLOCK[:left])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
