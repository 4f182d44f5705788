"""A disk image of some MiB, with what images have: a partition table, data, and room for more data."""

import random
import uuid
from functools import cache
from pathlib import Path

from tests.support.tiny_disk import Part, TinyDisk

MIB = 1 << 20


def small_image(path: Path) -> bytes:
    """Write an image with one partition of 20 MiB to `path` and return it; every other 4 MiB of it are empty."""
    path.write_bytes(_image())
    return _image()


@cache
def _image() -> bytes:
    body = random.Random(1)
    content = b"".join(body.randbytes(4 * MIB) + bytes(4 * MIB) for _ in range(2)) + body.randbytes(4 * MIB)
    ids = [str(uuid.UUID(int=number)) for number in range(3)]
    return TinyDisk(ids[0], [Part(ids[1], ids[2], "data", content)]).to_bytes()
