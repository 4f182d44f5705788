"""A disk that is all right with its keys, and wrong in what it holds."""

import os

from builder.run import run
from builder.toolchain import Toolchain
from builder.vm.directory import LEAST_DISK_BYTES, MachineDirectory
from builder.vm.machine import Machine
from claudine import voice as client_voice
from claudine.voice import screen as screen_voice
from claudine.voice import settings as settings_voice
from claudine_state.diagnosis import Kind
from tests.image.faults.machines import SAID, MachineInUse, SwitchOn
from tests.image.faults.rescue import expect_running, wait_for_chat, wait_for_rescue
from tests.image.screen import flat, wait_for_text
from tests.image.state_volume import HEADER_BYTES
from tests.support.spoiled_disk import write

# What the file system begins with.
SUPERBLOCK_BYTES = 4 << 10
# Root's reserve too, so that nobody has any room left.
FILL = """\
import os
free = os.statvfs("/var")
most = free.f_bfree * free.f_frsize * 99 // 100
try:
    with open("/var/filler", "ab") as file:
        os.posix_fallocate(file.fileno(), file.tell(), most)
except OSError:
    pass
try:
    with open("/var/filler-rest", "ab", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))
except OSError:
    pass
"""


def _fill(machine: Machine) -> None:
    machine.succeed(f"python3 -I -c '{FILL}'", timeout_s=300)


def test_a_disk_that_became_larger_is_used_whole(
    toolchain: Toolchain, copy: MachineDirectory, switch_on: SwitchOn
) -> None:
    """As after a move to a larger disk, block for block."""
    larger_bytes = LEAST_DISK_BYTES + (4 << 30)
    run(toolchain.box(["qemu-img", "resize", "-q", "-f", "qcow2", str(copy.disk), str(larger_bytes)]))
    with switch_on(copy.path) as machine:
        wait_for_chat(machine)
        expect_running(machine)
        for size in ("blockdev --getsize64 /dev/mapper/state", "stat --file-system --format='%b * %S' /var"):
            assert int(machine.succeed(f"echo $(($({size})))")) > 0.9 * larger_bytes


def test_a_disk_that_does_not_mount_is_repaired_on_one_key_press(
    toolchain: Toolchain, machine_in_use: MachineInUse, copy: MachineDirectory, switch_on: SwitchOn
) -> None:
    # Whatever is written there comes out of the decryption as noise.
    offset_bytes = machine_in_use.state_offset_bytes + HEADER_BYTES
    write(toolchain, copy.disk, offset_bytes, os.urandom(SUPERBLOCK_BYTES))
    with switch_on(copy.path) as machine:
        assert "[F] repair the file system" in wait_for_rescue(machine, Kind.DAMAGED)
        machine.send_keys("f")
        wait_for_chat(machine, after_rescue=True)
        expect_running(machine)


def test_a_full_disk_is_told_of_and_can_be_emptied_from_the_client(copy: MachineDirectory, switch_on: SwitchOn) -> None:
    with switch_on(copy.path) as machine:
        wait_for_chat(machine)
        _fill(machine)

        machine.restart()
        wait_for_text(machine, client_voice.DISK_ALMOST_FULL)
        wait_for_chat(machine)
        expect_running(machine)
        # At its start the journal has given up older entries, and so made room.
        _fill(machine)
        machine.send_keys("Are you there?\n")
        wait_for_text(machine, client_voice.STORE_FULL)
        wait_for_text(machine, screen_voice.CLAUDINE, after="Are you there?")
        machine.send_keys("\x03")
        wait_for_text(machine, client_voice.STOPPED)

        resets = machine.watch.resets
        machine.watch.expected_resets = resets + 1
        machine.send_keys("/reset\n")
        wait_for_text(machine, client_voice.RESET_PROMPT)
        machine.send_keys(f"{client_voice.RESET_WORDS}\n")
        machine.watch.until("the restart", lambda: machine.watch.resets > resets or None, timeout_s=300)
        seen = wait_for_text(machine, settings_voice.KEYBOARD)
        assert flat(client_voice.DISK_ALMOST_FULL) not in seen
        assert SAID not in seen
        expect_running(machine)
        assert machine.run("test -e /var/filler").returncode != 0
