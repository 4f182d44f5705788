"""The model's partition gone, changed or somebody else's, and memory that runs out: the client stays, and is told."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.image import Artifacts
from builder.keys import KeySet, create_keys
from builder.toolchain import Toolchain
from builder.vm.directory import MachineDirectory
from builder.vm.hardware import Hardware
from builder.vm.headless import wait_for_model
from builder.vm.machine import Machine
from claudine.voice import models as voice
from claudine.voice import screen
from tests.image.faults.machines import SwitchOn
from tests.image.models import ask_models, tiny_model_image, with_a_changed_block, without_signature
from tests.image.screen import wait_for_client, wait_for_text
from tests.support.spoiled_disk import write

CLIENT = "claudine-client@tty1.service"
ASKED = "Count from one to one hundred, in words."
GPT_BYTES = 34 * 512
# In both tables of the disk (UEFI 2.10, section 5.3): the entry goes, and the checksums follow.
REMOVE_PARTITION = """\
import glob, os, struct, uuid, zlib
kind = uuid.UUID("9f3b6c1e-7d24-4c58-8a0f-3e5d1b7a6c42").bytes_le
[partition] = glob.glob("/dev/disk/claudine-model_*")
disk = os.path.realpath(partition).rstrip("0123456789")
with open(disk, "r+b", buffering=0) as file:
    def read(sector, size):
        file.seek(sector * 512)
        return bytearray(file.read(size))
    def put(sector, content):
        file.seek(sector * 512)
        file.write(content)
    [other] = struct.unpack_from("<Q", read(1, 512), 32)
    for sector in (1, other):
        header = read(sector, 512)
        place, number, size = struct.unpack_from("<QII", header, 72)
        entries = read(place, number * size)
        at = entries.index(kind)
        entries[at:at + size] = bytes(size)
        put(place, entries)
        struct.pack_into("<I", header, 88, zlib.crc32(entries))
        struct.pack_into("<I", header, 16, 0)
        struct.pack_into("<I", header, 16, zlib.crc32(header[:92]))
        put(sector, header)
    os.fsync(file.fileno())
"""


def told(machine: Machine, result: str) -> dict[str, Any]:
    """Wait until the service says why the model does not run; the client is there all the time."""

    def look() -> dict[str, Any] | None:
        answer = ask_models(machine, "runtime")[-1]
        return answer if answer.get("result") == result else None

    found = machine.watch.until(f"the model being {result}", look, timeout_s=300, every_s=5.0)
    assert machine.succeed(f"systemctl is-active {CLIENT}").strip() == "active"
    return found


Change = Callable[[bytes, Path, KeySet], bytes]

# What is written over the beginning of the model's partition, and what is said of it.
CHANGES: dict[str, tuple[Change, str]] = {
    "without its signature": (lambda image, folder, keys: without_signature(image), "unsigned"),
    "signed by somebody else": (
        lambda image, folder, keys: tiny_model_image(
            folder, create_keys(folder / "keys", "Somebody else")
        ).read_bytes(),
        "foreign",
    ),
    "with one byte changed": (lambda image, folder, keys: with_a_changed_block(image), "changed"),
    "without a partition table": (lambda image, folder, keys: bytes(GPT_BYTES) + image[GPT_BYTES:], "changed"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_image_that_is_not_the_owners_does_not_run(
    change: str,
    toolchain: Toolchain,
    artifacts: Artifacts,
    owner_keys: KeySet,
    copy: MachineDirectory,
    switch_on: SwitchOn,
    tmp_path: Path,
) -> None:
    make, result = CHANGES[change]
    partition = next(one for one in artifacts.partitions if one.label.startswith("claudine-model_"))
    mine = tiny_model_image(tmp_path, owner_keys).read_bytes()
    (tmp_path / "other").mkdir()
    write(toolchain, copy.disk, partition.offset_bytes, make(mine, tmp_path / "other", owner_keys))
    with switch_on(copy.path) as machine:
        machine.wait_for_boot()
        told(machine, result)


def test_without_the_partition_the_machine_starts_and_says_so(copy: MachineDirectory, switch_on: SwitchOn) -> None:
    with switch_on(copy.path) as machine:
        machine.wait_for_boot()
        machine.succeed(f"python3 -I -c {shlex.quote(REMOVE_PARTITION)}")
        machine.shutdown()
    with switch_on(copy.path) as machine:
        machine.wait_for_boot()
        told(machine, "missing")


def test_out_of_memory_ends_the_model_and_not_the_client_which_offers_to_make_do_with_less(
    copy: MachineDirectory, switch_on: SwitchOn
) -> None:
    with switch_on(copy.path) as machine:
        machine.wait_for_boot()
        wait_for_model(machine)
        wait_for_client(machine)
        unit = ask_models(machine, "runtime")[-1]["unit"]
        client = machine.succeed(f"systemctl show --property=MainPID --value {CLIENT}")
        machine.send_keys(f"{ASKED}\n")
        wait_for_text(machine, screen.CLAUDINE, after=ASKED)
        # As if a model had grown beyond its limit: the limit comes to it.
        machine.succeed(f"systemctl set-property --runtime {unit} MemoryMax=64M")
        told(machine, "oom")
        wait_for_text(machine, voice.SHORTER.format(tokens=1024))
        assert machine.succeed(f"systemctl show --property=MainPID --value {CLIENT}") == client
        machine.succeed(f"systemctl set-property --runtime {unit} MemoryMax=infinity")
        machine.send_keys("\n")
        wait_for_text(machine, "can hold 1024 tokens at once")
        assert ask_models(machine, "runtime")[-1]["context_tokens"] == 1024


def test_a_model_that_does_not_fit_is_not_tried(copy: MachineDirectory, switch_on: SwitchOn) -> None:
    """A machine with less memory than the image was made for: 1 GiB is for the rest."""
    with switch_on(copy.path, hardware=Hardware(memory_mib=1280)) as machine:
        machine.wait_for_boot()
        answer = told(machine, "oom")
        assert "it does not fit" in machine.succeed(f"journalctl --boot --unit={answer['unit']} --output=cat")
        [own] = ask_models(machine, "models")[-1]["models"]
        assert (own["fits"], own["problem"]) == (False, None)
