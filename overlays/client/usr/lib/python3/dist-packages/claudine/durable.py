"""Files that are on the disk whole or not at all, even if power fails."""

import os
from pathlib import Path


def put_in_place(part: Path, path: Path) -> None:
    """Give *part*, whose content is on the disk already, the name *path*, in place of what has it. Raises OSError."""
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
