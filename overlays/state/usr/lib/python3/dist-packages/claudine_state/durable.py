"""Files that are there whole or not at all, even if power fails."""

import os
from pathlib import Path


def write_durably(path: Path, text: str) -> None:
    """Write *path*, and its folder where that is missing. Raises OSError; then what was there is still there."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with beside.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    replace_durably(beside, path)


def replace_durably(beside: Path, path: Path) -> None:
    """Put *beside*, which has been flushed, in the place of *path* in the same folder."""
    beside.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
