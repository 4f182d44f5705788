"""The model as the build recorded it, and the file of weights as it is."""

import json
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from claudine.text import printable

RECORD = Path("usr/share/claudine/model.json")
_LICENCES = Path("usr/share/common-licenses")
_BLOCK_BYTES = 1024**2
_TELL_S = 0.5


@dataclass(frozen=True)
class ModelRecord:
    """What the image says of its model. *licence* is an SPDX identifier; *licence_text* is a file, if there is one."""

    name: str
    title: str
    licence: str
    licence_text: Path | None
    sha256: str
    size_bytes: int


def read_record(root: Path = Path("/")) -> ModelRecord | None:
    """Read what the build recorded; None where there is no image."""
    try:
        record = json.loads((root / RECORD).read_bytes())
        name, title, licence, sha256 = (printable(str(record[key])) for key in ("name", "title", "licence", "sha256"))
        size_bytes = int(record["size_bytes"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    text = root / _LICENCES / Path(licence).name
    return ModelRecord(name, title, licence, text if text.is_file() else None, sha256, size_bytes)


def compute_sha256(path: Path, on_percent: Callable[[int], None]) -> str:
    """Read a file of weights to its end and return its SHA-256 in hex. OSError if it is no file that can be read.

    *on_percent* hears of it now and then, and may end it by raising something.
    """
    # Loads OpenSSL, which takes a slow machine a moment, and few ask for it.
    import hashlib

    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{path} is no file")
    digest = hashlib.sha256()
    done = percent = 0
    told_s = time.monotonic()
    # Unbuffered, and one block for all of it: the file is larger than what the client may have of memory.
    with path.open("rb", buffering=0) as file:
        block = memoryview(bytearray(_BLOCK_BYTES))
        while count := file.readinto(block):
            digest.update(block[:count])
            done += count
            before, percent = percent, 100 * done // max(done, found.st_size)
            if percent > before or time.monotonic() - told_s >= _TELL_S:
                told_s = time.monotonic()
                on_percent(percent)
    _known[_identity(path)] = digest.hexdigest()
    return digest.hexdigest()


def recall_sha256(path: Path, on_percent: Callable[[int], None]) -> str:
    """Return what was computed before, if the file is still the same one; else compute it."""
    return _known.get(_identity(path)) or compute_sha256(path, on_percent)


_Identity = tuple[Path, int, int, int, int]
_known: dict[_Identity, str] = {}


def _identity(path: Path) -> _Identity:
    found = path.stat()
    return path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
