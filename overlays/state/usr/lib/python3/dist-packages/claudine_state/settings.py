"""What a person may change about the machine, applied at each start: keyboard, time zone, name.

    {"keyboard": "de(nodeadkeys)", "time_zone": "Europe/Berlin", "device_name": "attic"}

in ``/var/lib/claudine/settings.json``. Each value is optional. The client writes the file, so nothing in it is
trusted, and nothing in it may keep the machine from starting: what is wrong is ignored, with a line in the journal.
"""

import json
import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from claudine_state import keyboard
from claudine_state.host import Host
from claudine_state.run import CommandError

_LIMIT_BYTES = 64 * 1024
_TERMINAL = "/dev/tty1"
# RFC 1123, section 2.1: letters, digits, and hyphens that are not at an end; RFC 1035: 63 at most.
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_TIME_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}", re.ASCII)


class SettingError(Exception):
    """A setting, or the whole file, that is ignored; ``str()`` says what is wrong and what would be right."""


def apply_settings(host: Host) -> None:
    """Apply what is right, and complain on standard error about the rest. Raises nothing that the file could cause."""
    for name, value in _read(host).items():
        try:
            if name not in _SETTINGS:
                raise SettingError(f"there is no such setting; there are {', '.join(_SETTINGS)}")
            if not isinstance(value, str):
                raise SettingError("it must be a text in quotes")
            _SETTINGS[name](host, value)
        except (SettingError, CommandError, OSError) as error:
            _complain(f"the setting {name!a:.80} is ignored: {error}")
    try:
        keyboard.take_away_unwanted_keys(host, _TERMINAL)
    except CommandError as error:
        _complain(f"the keys that switch consoles stay as they are: {error}")


def _read(host: Host) -> dict[str, object]:
    """Return the settings as they are in the file; none if it cannot be used."""
    path = host.root / "var/lib/claudine/settings.json"
    try:
        settings = json.loads(_read_bytes(path).decode())
    except FileNotFoundError:
        return {}
    except (SettingError, OSError) as error:
        _complain(f"{path} is ignored: {error}")
        return {}
    except (ValueError, RecursionError):
        _complain(f"{path} is ignored: it is not JSON; {{}} would be")
        return {}
    if not isinstance(settings, dict):
        _complain(f"{path} is ignored: it must be an object, such as {{}}")
        return {}
    return settings


def _read_bytes(path: Path) -> bytes:
    # Neither a link to somewhere else, nor a pipe that nobody writes to.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SettingError("it must be a regular file")
        data = file.read(_LIMIT_BYTES + 1)
    if len(data) > _LIMIT_BYTES:
        raise SettingError(f"it must not be larger than {_LIMIT_BYTES} bytes")
    return data


def _apply_keyboard(host: Host, name: str) -> None:
    try:
        keyboard.check_layout(host, name)
    except keyboard.UnknownLayoutError as error:
        raise SettingError(
            f"{name!a:.80} is no layout in /usr/share/X11/xkb/rules/base.lst; de or de(nodeadkeys) would be"
        ) from error
    keyboard.load_layout(host, name, _TERMINAL)


def _apply_time_zone(host: Host, name: str) -> None:
    zone = Path("/usr/share/zoneinfo", name)
    if not _TIME_ZONE.fullmatch(name) or not _is_time_zone(host.root / "usr/share/zoneinfo", name):
        raise SettingError(f"{name!a:.80} is no file below /usr/share/zoneinfo; Europe/Berlin would be")
    link = host.root / "run/claudine/localtime"
    link.parent.mkdir(mode=0o755, exist_ok=True)
    beside = link.with_name("localtime.new")
    beside.unlink(missing_ok=True)
    beside.symlink_to(zone)
    beside.replace(link)


def _is_time_zone(zones: Path, name: str) -> bool:
    path = Path(zones, name).resolve()
    # Debian's zone "localtime" is /etc/localtime, which is the link that is made here.
    if not path.is_relative_to(zones.resolve()):
        return False
    # tzfile(5): the magic number. There are other files beside the zones, such as tables of them.
    try:
        with path.open("rb") as file:
            return file.read(4) == b"TZif"
    except OSError:
        return False


def _apply_device_name(host: Host, name: str) -> None:
    if not _LABEL.fullmatch(name):
        raise SettingError(
            f"{name!a:.80} is no name for a device: up to 63 letters a-z, digits and hyphens, such as attic"
        )
    (host.root / "proc/sys/kernel/hostname").write_text(name)


def _complain(message: str) -> None:
    # sd-daemon(3): <4> is a warning.
    print(f"<4>{message}", file=sys.stderr, flush=True)


_SETTINGS: dict[str, Callable[[Host, str], None]] = {
    "keyboard": _apply_keyboard,
    "time_zone": _apply_time_zone,
    "device_name": _apply_device_name,
}
