"""What a person has chosen for the machine: keyboard, time zone, name. The service puts it in force.

    change_settings(service, keyboard="de(nodeadkeys)")

The file and what it may say are described in the state service's ``settings.py``, which reads it at each start.
"""

import json
import os
from pathlib import Path

from claudine.defaults import STORE
from claudine.durable import put_in_place
from claudine.state import StateService

FILE = "settings.json"


def directory() -> Path:
    """Return where settings are kept: what systemd gives the client, or the place that the service reads."""
    return Path(os.environ.get("STATE_DIRECTORY", STORE))


def read_settings() -> dict[str, str]:
    """Return what is stored; nothing if there is nothing, or nothing that can be read."""
    return read_object(directory() / FILE)


def change_settings(service: StateService, **changes: str) -> None:
    """Store *changes* and have them put in force, or leave everything as it was. Raises StateError, OSError."""
    path = directory() / FILE
    before = read_settings()
    write_object(path, {**before, **changes})
    try:
        service.apply_settings()
    except Exception:
        write_object(path, before)
        raise


def read_object(path: Path) -> dict[str, str]:
    """Return the texts of the JSON object in *path*; none if it cannot be read."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: value for name, value in content.items() if isinstance(value, str)} if type(content) is dict else {}


def write_object(path: Path, content: dict[str, str]) -> None:
    """Write *content* to *path*, whole or not at all, even if power fails. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(descriptor)
    put_in_place(beside, path)
