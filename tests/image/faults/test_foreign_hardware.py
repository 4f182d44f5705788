"""The disk in another machine, another disk in this one, or this one with its guard switched off."""

import json
import shutil
from pathlib import Path

import pytest

from builder.run import run
from builder.toolchain import Toolchain
from builder.vm.directory import MachineDirectory
from builder.vm.hardware import Hardware
from claudine_state import voice
from claudine_state.diagnosis import Kind
from claudine_state.facts import Facts
from tests.image.faults.machines import MachineInUse, SwitchOn
from tests.image.faults.rescue import expect_running, wait_for_chat, wait_for_rescue
from tests.image.screen import flat, wait_for_text
from tests.image.state_volume import HEADER_BYTES
from tests.support.power_cut import copy_directory
from tests.support.secure_boot_switch import switch_off
from tests.support.spoiled_disk import write

# Of keys that do nothing on a screen that asks no question.
ATTACKERS_KEY = "abcdabcdabcdabcd"
IS_OPEN = "test -e /dev/mapper/state"
STATE_PARTITION = "/dev/disk/claudine-state"


def test_another_tpm_does_not_open_the_disk_but_the_recovery_key_does_and_seals_it_again(
    machine_in_use: MachineInUse, copy: MachineDirectory, switch_on: SwitchOn
) -> None:
    shutil.rmtree(copy.tpm)
    with switch_on(copy.path) as machine:
        assert flat(voice.ASK_RECOVERY_KEY) in wait_for_rescue(machine, Kind.OTHER_TPM)
        assert machine.run(IS_OPEN).returncode != 0

        machine.send_keys(f"{machine_in_use.recovery_key[::-1]}\n")
        wait_for_text(machine, voice.WRONG_KEY)
        assert machine.run(IS_OPEN).returncode != 0

        machine.send_keys(f"{machine_in_use.recovery_key}\n")
        wait_for_text(machine, voice.SEAL_OFFERS)
        machine.send_keys("s")
        wait_for_chat(machine, after_rescue=True)
        expect_running(machine)

        machine.restart()
        wait_for_chat(machine)
        expect_running(machine)


def test_with_secure_boot_off_the_disk_does_not_open_and_the_screen_names_what_changed(
    copy: MachineDirectory, switch_on: SwitchOn
) -> None:
    switch_off(copy.variables)
    with switch_on(copy.path) as machine:
        seen = wait_for_rescue(machine, Kind.PCR7_CHANGED, Facts(unlock="tpm2", secure_boot=False))
        assert "PCR 7" in seen
        assert "Secure Boot is off" in seen
        assert machine.run(IS_OPEN).returncode != 0


@pytest.fixture
def attackers_header(toolchain: Toolchain, tmp_path: Path) -> bytes:
    """The header of an encrypted disk that an attacker has made, and has the key of."""
    definitions, disk, key = tmp_path / "repart.d", tmp_path / "attacker.raw", tmp_path / "key"
    definitions.mkdir()
    definition = "[Partition]\nType=linux-generic\nFormat=ext4\nEncrypt=key-file\nSizeMinBytes=128M\n"
    (definitions / "10-state.conf").write_text(definition)
    key.write_text(ATTACKERS_KEY)
    options = ["--empty=create", "--size=auto", "--dry-run=no", "--offline=yes", f"--definitions={definitions}"]
    run(toolchain.box(["systemd-repart", *options, f"--key-file={key}", str(disk)]))
    table = json.loads(run(toolchain.box(["sfdisk", "--json", str(disk)])).stdout)["partitiontable"]
    with disk.open("rb") as file:
        file.seek(table["partitions"][0]["start"] * table["sectorsize"])
        return file.read(HEADER_BYTES)


def test_a_disk_with_an_attackers_header_is_not_opened_and_takes_no_key(
    toolchain: Toolchain,
    machine_in_use: MachineInUse,
    attackers_header: bytes,
    copy: MachineDirectory,
    switch_on: SwitchOn,
) -> None:
    write(toolchain, copy.disk, machine_in_use.state_offset_bytes, attackers_header)
    with switch_on(copy.path) as machine:
        seen = wait_for_rescue(machine, Kind.FOREIGN_HEADER)
        # The attacker's key is the right one for this header.
        opens = f"cryptsetup open --test-passphrase --key-file - {STATE_PARTITION}"
        machine.succeed(f"printf %s {ATTACKERS_KEY} | {opens}", timeout_s=300)
        machine.send_keys(f"{ATTACKERS_KEY}\n")
        assert wait_for_rescue(machine, Kind.FOREIGN_HEADER) == seen
        assert machine.run(IS_OPEN).returncode != 0


def test_without_a_tpm_a_new_machine_says_so_and_makes_no_disk(
    machine_in_use: MachineInUse, switch_on: SwitchOn, tmp_path: Path
) -> None:
    directory = copy_directory(machine_in_use.cuts["in the initrd"], tmp_path / "machine")
    with switch_on(directory, hardware=Hardware(tpm=None)) as machine:
        wait_for_rescue(machine, Kind.NO_TPM)
        assert machine.run(f"test -e {STATE_PARTITION} || {IS_OPEN}").returncode != 0
        assert "claudine-state" not in machine.succeed("ls /dev/disk/by-partlabel")
        assert machine.run("mountpoint --quiet /var").returncode != 0
