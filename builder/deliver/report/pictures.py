"""Pictures of the screen, as the page carries them: whole, within itself."""

import base64
import struct
from dataclasses import dataclass
from pathlib import Path

# Base64 takes a third more; with this much, the page is smaller than 2 MB. A screen of text has 10 to 30 kB.
MOST_BYTES = 1_200_000
# The signature, and the chunk that comes first (PNG, third edition, 5.2 and 11.2.1): length, name, width, height.
_BEGINNING = struct.Struct(">8sI4sII")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Picture:
    """A picture with its size in pixels; `data` is a data: URI, "" where there was no room for it."""

    title: str
    file: str
    width: int
    height: int
    data: str


def read_pictures(directory: Path) -> tuple[Picture, ...]:
    """Read the PNG files of a directory, by name; what is not one is left out."""
    left_bytes, pictures = MOST_BYTES, []
    for path in sorted(directory.glob("*.png")):
        content = path.read_bytes()
        if len(content) < _BEGINNING.size:
            continue
        signature, _, chunk, width, height = _BEGINNING.unpack_from(content)
        if (signature, chunk) != (_SIGNATURE, b"IHDR"):
            continue
        data = ""
        if len(content) <= left_bytes:
            left_bytes -= len(content)
            data = "data:image/png;base64," + base64.b64encode(content).decode()
        pictures.append(Picture(_title(path.stem), path.name, width, height, data))
    return tuple(pictures)


def _title(stem: str) -> str:
    """Return what is on the picture, by the name that the tests gave it: `screen-first-run`."""
    return stem.removeprefix("screen").replace("-", " ").strip() or "ready"
