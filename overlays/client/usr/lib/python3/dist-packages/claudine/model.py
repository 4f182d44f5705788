"""The image's own model, as the build recorded it."""

import json
from dataclasses import dataclass
from pathlib import Path

from claudine.text import printable

RECORD = Path("usr/share/claudine/model.json")
_LICENCES = Path("usr/share/common-licenses")


@dataclass(frozen=True)
class ModelRecord:
    """What the image says of its model. *licence* is an SPDX identifier; *licence_text* is a file, if there is one."""

    id: str
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
        words = ("id", "name", "title", "licence", "sha256")
        id_, name, title, licence, sha256 = (printable(str(record[key])) for key in words)
        size_bytes = int(record["size_bytes"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    text = root / _LICENCES / Path(licence).name
    return ModelRecord(id_, name, title, licence, text if text.is_file() else None, sha256, size_bytes)
