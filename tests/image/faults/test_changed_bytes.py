"""One bit of the image changed, as a worn-out disk or somebody with a soldering iron does it: nothing of it is used."""

import mmap
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from builder.image import Artifacts
from builder.model.weights import obtain_weights
from builder.profile import load_profile
from builder.toolchain import Toolchain
from builder.vm.directory import MachineDirectory
from builder.vm.disk_image import DiskImage
from builder.vm.headless import runtime_unit
from builder.vm.machine import Machine
from claudine import voice
from tests.image.faults.machines import EXPECTED, SAID, Keeping, MachineInUse, SwitchOn
from tests.image.faults.refusal import expect_firmware_refusal, expect_initrd_refusal
from tests.image.screen import wait_for_text
from tests.support.power_cut import copy_directory
from tests.support.spoiled_disk import change_esp_file, flip_bit, with_flipped_bit

# The superblock of erofs begins here, and with it, in the same block, what mount(8) reads next.
SUPERBLOCK_BYTES = 1024
BLOCK_BYTES = 4096
# The partition begins with '{"rootHash":…,"certificateFingerprint":…,"signature":"', which is 180 bytes long.
IN_SIGNATURE_BYTES = 300
WITHIN_ROOT, WITHIN_HASH_TREE, WITHIN_SIGNATURE = SUPERBLOCK_BYTES + 40, BLOCK_BYTES + 100, IN_SIGNATURE_BYTES


def changed_in_the_middle(content: bytes) -> bytes:
    return with_flipped_bit(content, len(content) // 2)


def test_the_firmware_refuses_a_changed_boot_loader(
    toolchain: Toolchain, image: DiskImage, copy: MachineDirectory, switch_on: SwitchOn
) -> None:
    change_esp_file(toolchain, copy.disk, image.path, "EFI/BOOT/BOOTX64.EFI", changed_in_the_middle)
    with switch_on(copy.path) as machine:
        expect_firmware_refusal(machine, "refused the boot loader")


def test_the_firmware_refuses_a_changed_kernel_image(
    toolchain: Toolchain, image: DiskImage, artifacts: Artifacts, copy: MachineDirectory, switch_on: SwitchOn
) -> None:
    change_esp_file(toolchain, copy.disk, image.path, f"EFI/Linux/{artifacts.uki}", changed_in_the_middle)
    with switch_on(copy.path) as machine:
        expect_firmware_refusal(machine, "refused the kernel image")


@pytest.fixture(scope="module")
def changed_machines(
    toolchain: Toolchain,
    image: DiskImage,
    artifacts: Artifacts,
    machine_in_use: MachineInUse,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Machine]]:
    """A machine for each part of the root with one bit changed in it. They run side by side: mostly they wait."""
    directory = tmp_path_factory.mktemp("changed")
    places = zip(("root", "hash tree", "signature"), artifacts.partitions[1:4], strict=True)
    within = {"root": WITHIN_ROOT, "hash tree": WITHIN_HASH_TREE, "signature": WITHIN_SIGNATURE}
    with ExitStack() as stack:
        machines = {}
        for part, partition in places:
            files = MachineDirectory(copy_directory(machine_in_use.directory, directory / part.replace(" ", "-")))
            flip_bit(toolchain, files.disk, image.path, partition.offset_bytes + within[part])
            machines[part] = stack.enter_context(Machine(toolchain, image, files.path))
            machines[part].watch.serial_log.expected = EXPECTED
        yield machines


@pytest.mark.parametrize("part", ["signature", "root", "hash tree"])
def test_the_initrd_refuses_a_root_with_one_bit_changed_in(
    part: str,
    changed_machines: dict[str, Machine],
    keeping: Keeping,
) -> None:
    with keeping(changed_machines[part]):
        expect_initrd_refusal(changed_machines[part])


def test_changed_weights_are_not_used_and_the_screen_says_that_the_model_is_not_there(
    toolchain: Toolchain, image: DiskImage, artifacts: Artifacts, copy: MachineDirectory, switch_on: SwitchOn
) -> None:
    """The system is all right otherwise, so it starts, and the owner is told what does not."""
    flip_bit(toolchain, copy.disk, image.path, weights_offset(image, artifacts))
    with switch_on(copy.path) as machine:
        wait_for_text(machine, SAID)
        machine.send_keys("Are you there?\n")
        wait_for_text(machine, voice.reason("absent"))
        # It was tried more than once, and there is no model.
        machine.wait_until_succeeds(f"[ $(systemctl show --property=NRestarts --value {runtime_unit(machine)}) -ge 2 ]")
        assert machine.run("claudine status").returncode != 0
        kernel = machine.succeed("journalctl --boot --dmesg --no-pager --output=cat")
        assert "data block" in kernel and "is corrupted" in kernel
        # Who sits before it still has a client that waits, and nothing else.
        assert machine.succeed("systemctl is-active claudine-client@tty1.service").strip() == "active"
        wait_for_text(machine, voice.reason("absent"))
        assert "Traceback" not in machine.console_text()


def weights_offset(image: DiskImage, artifacts: Artifacts) -> int:
    """Find a block from the middle of the weights in the image, where they lie as they are."""
    weights = obtain_weights(load_profile(artifacts.profile).model).read_bytes()
    middle = weights[len(weights) // 2 :][:BLOCK_BYTES]
    model = artifacts.partitions[4]
    with image.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = content.find(middle, model.offset_bytes, model.offset_bytes + model.size_bytes)
    assert found > 0, "the weights are not in the image as they are"
    return found
