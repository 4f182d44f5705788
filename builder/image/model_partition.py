"""The model's own partition: added to the disk image that mkosi has made."""

from pathlib import Path

from builder import log
from builder.image.inputs import BuildInputs
from builder.model import ModelImage
from builder.render.mkosi import seed
from builder.render.plan import MODEL_REPART
from builder.run import run


def add_model_partition(disk: Path, image: ModelImage, tree: Path, inputs: BuildInputs) -> None:
    """Let systemd-repart grow the disk image by a partition that holds the model image, byte for byte.

    The definition is in the rendered tree; partitions that it says nothing about stay as they are.
    """
    command = [
        *("systemd-repart", "--empty=refuse", "--size=auto", "--dry-run=no", "--offline=yes"),
        *("--architecture", "x86-64"),
        *("--seed", seed(inputs.profile)),
        *("--definitions", str(tree / MODEL_REPART), "--root", str(image.path.parent)),
        str(disk),
    ]
    with log.step(f"Adding the model {image.id}"):
        run(inputs.toolchain.box(command))
