"""One changed byte, anywhere: found every time."""

import os
import random
from pathlib import Path

from builder.verify import verify
from builder.verify.layout import ESP, SIGNATURE, VERITY
from tests.support.tiny_disk import SECTOR, TinyDisk

FLIPS = 500


def test_one_changed_byte_is_found_wherever_it_is(system: TinyDisk, certificate: Path, tmp_path: Path) -> None:
    image = system.to_bytes()
    path = tmp_path / "image.raw"
    path.write_bytes(image)
    evidence = verify(path, [certificate])
    assert (evidence.failed, evidence.unchecked) == ((), ())
    # Half of them anywhere, half where the image says what it is; the same ones in each run.
    anywhere = range(len(image))
    dense = [range(3 * SECTOR), range(len(image) - SECTOR, len(image))]
    dense += [range(system.offset(kind), system.offset(kind) + 2000) for kind in (VERITY, SIGNATURE)]
    chance = random.Random(6)
    missed = []
    with path.open("r+b") as file:
        for number in range(FLIPS):
            offset = chance.choice(anywhere if number % 2 else chance.choice(dense))
            # What is in the ESP has claims of its own.
            if system.offset(ESP) <= offset < system.offset(ESP) + len(system.part(ESP).content):
                continue
            os.pwrite(file.fileno(), bytes([image[offset] ^ chance.randrange(1, 256)]), offset)
            if not verify(path, [certificate]).failed:
                missed.append(offset)
            os.pwrite(file.fileno(), image[offset : offset + 1], offset)
    assert missed == []
