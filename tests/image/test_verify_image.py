"""What `claudineos verify` says of the image under test, and of copies of it with one byte changed."""

import os
import random
import subprocess
from pathlib import Path

from builder.verify import verify
from builder.vm.disk_image import DiskImage

FLIPS = 20


def test_every_claim_about_the_image_holds(image: DiskImage) -> None:
    """With the certificates that are beside it, as whoever downloads it can check it."""
    evidence = verify(image.path)
    assert [f"{finding.claim}: {finding.found}, {finding.where}" for finding in evidence.failed] == []
    assert evidence.unchecked == ()


def test_one_changed_byte_of_the_image_is_found(image: DiskImage, tmp_path: Path) -> None:
    """In other places in each run: somebody who changes an image chooses them, too."""
    changed = tmp_path / "changed.raw"
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", image.path, changed], check=True)
    missed = []
    with changed.open("r+b") as disk:
        for _ in range(FLIPS):
            offset = random.randrange(image.size_bytes)
            before = os.pread(disk.fileno(), 1, offset)
            os.pwrite(disk.fileno(), bytes([before[0] ^ random.randrange(1, 256)]), offset)
            failed = verify(changed, directory=image.path.parent).failed
            # The digest of the whole image finds anything; on a disk that it was written to, there is none.
            if {finding.claim for finding in failed} <= {"image-file"}:
                missed.append(offset)
            os.pwrite(disk.fileno(), before, offset)
    assert missed == []
