"""One changed byte, anywhere: found every time."""

import json
import os
import random
from pathlib import Path

from builder.verify import verify
from builder.verify.layout import ESP, SIGNATURE, VERITY
from tests.support.model_image import Owner
from tests.support.tiny_boot import root_hash_of, tiny_boot, write_build
from tests.support.tiny_disk import SECTOR, TinyDisk
from tests.support.tiny_image import LABEL

FLIPS = 500


def test_one_changed_byte_is_found_wherever_it_is(
    system: TinyDisk, owner: Owner, certificate: Path, tmp_path: Path
) -> None:
    path, record = write_build(tmp_path, system, tiny_boot(owner, LABEL, root_hash_of(system)))
    # The digest of the whole image would find anything; on a disk that it was written to, there is none.
    del record["files"][path.name]
    (tmp_path / "build.json").write_text(json.dumps(record))
    image = path.read_bytes()
    evidence = verify(path, [certificate])
    assert (evidence.failed, evidence.unchecked) == ((), ())
    # Half of them anywhere, half where the image says what it is; the same ones in each run.
    anywhere = range(len(image))
    dense = [range(3 * SECTOR), range(len(image) - SECTOR, len(image))]
    dense += [range(system.offset(kind), system.offset(kind) + 2000) for kind in (VERITY, SIGNATURE)]
    esp = range(system.offset(ESP), system.offset(ESP) + len(system.part(ESP).content))
    dense += [esp[: 2 * SECTOR], esp[6 * SECTOR : 8 * SECTOR], esp[32 * SECTOR :], esp[32 * SECTOR :]]
    chance = random.Random(6)
    missed = []
    with path.open("r+b") as file:
        for number in range(FLIPS):
            offset = chance.choice(anywhere if number % 2 else chance.choice(dense))
            os.pwrite(file.fileno(), bytes([image[offset] ^ chance.randrange(1, 256)]), offset)
            if not verify(path, [certificate]).failed:
                missed.append(offset)
            os.pwrite(file.fileno(), image[offset : offset + 1], offset)
    assert missed == []
