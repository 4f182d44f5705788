"""The EFI system partition that the firmware started from: what lies there to be enrolled, and the report left there.

It is mounted for as long as a file is read or written, and for this service alone (PrivateMounts=).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from claudine_state.durable import write_durably
from claudine_state.host import Host
from claudine_state.run import CommandError

REPORT = "preflight.txt"
# Where systemd-boot looks for keys to enrol (systemd-boot(7)).
_KEYS = ("PK.auth", "KEK.auth", "db.auth")
# Which partition it was, as systemd-boot tells (Boot Loader Interface).
_DEVICE = "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
_OPTIONS = "nodev,nosuid,noexec,nosymfollow"


class EspError(Exception):
    """The partition cannot be used; ``str()`` says why, as a part of a sentence."""


def has_keys(host: Host) -> bool | None:
    """Say whether the owner's keys lie there; None if it cannot be read."""
    try:
        with _mounted(host, "ro") as place:
            return all((place / "loader/keys/auto" / name).is_file() for name in _KEYS)
    except EspError:
        return None


def leave(host: Host, report: str) -> None:
    """Write the report, whole or not at all. Raises EspError."""
    with _mounted(host, "rw") as place:
        try:
            write_durably(place / REPORT, report)
        except OSError as error:
            raise EspError(error.strerror or "it cannot be written") from error


@contextmanager
def _mounted(host: Host, mode: Literal["ro", "rw"]) -> Iterator[Path]:
    device, place = _device(host), host.root / "run/claudine-preflight/esp"
    place.mkdir(parents=True, exist_ok=True)
    try:
        host.run(["mount", "--types=vfat", f"--options={mode},{_OPTIONS}", str(device), str(place)])
    except CommandError as error:
        raise EspError(str(error)) from error
    try:
        yield place
    finally:
        try:
            host.run(["umount", str(place)])
        except CommandError as error:
            raise EspError(str(error)) from error


def _device(host: Host) -> Path:
    try:
        # Four bytes of attributes, then the id as UTF-16 with a zero at its end.
        data = (host.root / "sys/firmware/efi/efivars" / _DEVICE).read_bytes()[4:]
        uuid = data.decode("utf-16-le").rstrip("\0").lower()
    except (OSError, UnicodeDecodeError):
        uuid = ""
    device = host.root / "dev/disk/by-partuuid" / uuid
    if not uuid or "/" in uuid or not device.exists():
        raise EspError("the boot loader does not say which partition it came from")
    return device
