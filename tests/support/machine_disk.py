"""A machine's disk while it is off: what the machine has written, and what lies on its EFI system partition."""

import json
import tempfile
from pathlib import Path

from builder.image.artifacts import Partition
from builder.run import run
from builder.toolchain import Toolchain

_BLOCK_BYTES = 1 << 20


def written(toolchain: Toolchain, disk: Path) -> list[tuple[int, int]]:
    """Return the ranges (start, end; in bytes, whole clusters of the file) that are not the image's any more."""
    mapped = json.loads(run(toolchain.box(["qemu-img", "map", "--output=json", str(disk)])).stdout)
    return [
        (part["start"], part["start"] + part["length"]) for part in mapped if part["depth"] == 0 and part["present"]
    ]


def only_on(partition: Partition, ranges: list[tuple[int, int]]) -> bool:
    """Say whether all ranges lie on this partition."""
    first, last = partition.offset_bytes, partition.offset_bytes + partition.size_bytes
    return all(first <= start and end <= last for start, end in ranges)


def esp_file(toolchain: Toolchain, disk: Path, esp: Partition, name: str) -> str:
    """Return the text of a file on the EFI system partition, as the machine left it."""
    # Partitions begin and end at whole MiB; qemu-img counts from the start of the disk, what it skips included.
    skip, count = (place // _BLOCK_BYTES for place in (esp.offset_bytes, esp.offset_bytes + esp.size_bytes))
    with tempfile.TemporaryDirectory() as place:
        partition = Path(place) / "esp"
        copy = [f"if={disk}", f"of={partition}", f"bs={_BLOCK_BYTES}", f"skip={skip}", f"count={count}"]
        run(toolchain.box(["qemu-img", "dd", "-f", "qcow2", "-O", "raw", *copy]))
        return run(toolchain.box(["mtype", "-i", str(partition), f"::/{name}"])).stdout
