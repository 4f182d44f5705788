"""A program lsblk that lists the disks of another computer."""

import json
from pathlib import Path
from typing import Any

GB = 10**9


def device(path: str, kind: str, **what: Any) -> dict[str, Any]:
    """A device as lsblk lists it."""
    columns = {
        "size": 64 * GB,
        "model": None,
        "serial": None,
        "tran": None,
        "rm": False,
        "hotplug": False,
        "ro": False,
        "log-sec": 512,
        "fstype": None,
        "label": None,
        "partlabel": None,
        "mountpoints": [None],
    }
    return {"path": path, "type": kind, **columns, **what}


def write_lsblk(folder: Path, *devices: dict[str, Any]) -> None:
    """Put a program into a folder that lists these devices."""
    listed = folder / "devices.json"
    listed.write_text(json.dumps({"blockdevices": devices}))
    program = folder / "lsblk"
    program.write_text(f"#!/bin/sh\nexec cat {listed}\n")
    program.chmod(0o755)
