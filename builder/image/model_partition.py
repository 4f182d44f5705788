"""The model's own partition: added to the disk image that mkosi has made."""

import os
from pathlib import Path

from builder import log
from builder.image.inputs import BuildInputs
from builder.model import ModelImage
from builder.render.mkosi import seed
from builder.render.plan import MODEL_REPART
from builder.run import run

# For the rounding of the partition's start and end, and the copy of the table at the end of the disk.
_SLACK_BYTES = 1 << 20


def add_model_partition(disk: Path, image: ModelImage, tree: Path, inputs: BuildInputs) -> None:
    """Let systemd-repart add a partition to the disk image that holds the model image, byte for byte.

    The definition is in the rendered tree; partitions that it says nothing about stay as they are.
    """
    # systemd-repart 262 grows a file itself (--size=auto), and then trips over the partitions that it does not define.
    os.truncate(disk, disk.stat().st_size + image.size_bytes + _SLACK_BYTES)
    command = [
        *("systemd-repart", "--empty=refuse", "--dry-run=no", "--offline=yes"),
        *("--architecture", "x86-64"),
        *("--seed", seed(inputs.profile)),
        *("--definitions", str(tree / MODEL_REPART), "--root", str(image.path.parent)),
        str(disk),
    ]
    with log.step(f"Adding the model {image.id}"):
        run(inputs.toolchain.box(command))
