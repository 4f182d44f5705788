"""Changes to a machine's disk while it is switched off, as somebody makes them who holds it in hands.

They go into what the machine has written (its qcow2 file), and never into the image behind it.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from builder.run import run
from builder.toolchain import Toolchain
from builder.vm.disk_image import efi_partition_offset

Change = Callable[[bytes], bytes]


def write(toolchain: Toolchain, disk: Path, offset_bytes: int, data: bytes) -> None:
    """Write `data` on the disk, at `offset_bytes` from its start."""
    with tempfile.NamedTemporaryFile() as source:
        source.write(data)
        source.flush()
        command = f"write -q -s {source.name} {offset_bytes} {len(data)}"
        run(toolchain.box(["qemu-io", "-f", "qcow2", "-c", command, str(disk)]))


def flip_bit(toolchain: Toolchain, disk: Path, image: Path, offset_bytes: int) -> None:
    """Change one bit of what `image` has at `offset_bytes`."""
    with image.open("rb") as file:
        file.seek(offset_bytes)
        write(toolchain, disk, offset_bytes, with_flipped_bit(file.read(1), 0))


def with_flipped_bit(data: bytes, position: int) -> bytes:
    """Return `data` with the lowest bit of one byte changed."""
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def change_esp_file(toolchain: Toolchain, disk: Path, image: Path, path: str, change: Change) -> None:
    """Replace a file on the EFI system partition by what `change` makes of it."""
    offset_bytes = efi_partition_offset(image)
    assert offset_bytes is not None, f"{image} has no EFI system partition"
    with tempfile.TemporaryDirectory() as place:
        file, partition = Path(place) / "file", Path(place) / "esp"
        run(toolchain.box(["mcopy", "-i", f"{image}@@{offset_bytes}", f"::/{path}", str(file)]))
        file.write_bytes(change(file.read_bytes()))
        partition.write_bytes(_partition(image, offset_bytes))
        run(toolchain.box(["mcopy", "-o", "-i", str(partition), str(file), f"::/{path}"]))
        write(toolchain, disk, offset_bytes, partition.read_bytes())


def _partition(image: Path, offset_bytes: int) -> bytes:
    """Return a FAT partition's content; the boot sector says how many sectors of which size it has."""
    with image.open("rb") as file:
        file.seek(offset_bytes)
        boot_sector = file.read(512)
        sector_bytes = int.from_bytes(boot_sector[11:13], "little")
        sectors = int.from_bytes(boot_sector[19:21], "little") or int.from_bytes(boot_sector[32:36], "little")
        file.seek(offset_bytes)
        return file.read(sectors * sector_bytes)
