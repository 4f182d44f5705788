"""The image for mini-PCs starts from each kind of disk, and works as it does on virtual hardware."""

import pytest

from builder.vm.machine import SHUTDOWN_TIMEOUT_S, Machine
from claudine_preflight import voice as preflight_voice
from tests.image.hardware.boot_menu import Entry, choose
from tests.image.hardware.conftest import wait_for_report
from tests.image.hardware.machines import RealMachine
from tests.image.owner import confirm_recovery_key, keep_settings, put_off_experiment, see_recovery_key
from tests.image.screen import flat, wait_for_client
from tests.support.pcap import frames

# The verity device of the root, down to the disk that it is on.
ROOT_DISK = 'for it in /sys/class/block/dm-*; do [ "$(cat $it/dm/name)" != root ] || readlink -f $it/slaves/*; done'
STATE = "/dev/disk/claudine-state"


def test_the_root_is_on_the_disk_that_the_machine_has(running: Machine, real: RealMachine) -> None:
    assert real.disk_path in running.succeed(ROOT_DISK)


def test_the_client_is_on_the_screen_and_the_keyboard_reaches_it(running: Machine) -> None:
    wait_for_client(running)
    keep_settings(running)
    confirm_recovery_key(running, see_recovery_key(running))
    put_off_experiment(running)


def test_the_screen_has_the_driver_of_its_card(running: Machine, real: RealMachine) -> None:
    assert running.succeed("cat /sys/class/graphics/fb0/name").startswith(real.frame_buffer)


def test_the_tpm_has_sealed_the_disk_that_var_is_on(running: Machine, real: RealMachine) -> None:
    assert real.tpm_driver in running.succeed("readlink -f /sys/class/tpm/tpm0/device/driver")
    assert running.succeed("findmnt --noheadings --output SOURCE /var").strip() == "/dev/mapper/state"
    assert "systemd-tpm2" in running.succeed(f"cryptsetup luksDump --dump-json-metadata {STATE}")


def test_secure_boot_is_on_with_the_keys_that_were_chosen_in_the_menu(running: Machine) -> None:
    efivars = "/sys/firmware/efi/efivars"
    flags = running.shell.run_binary(f"cat {efivars}/SecureBoot-* | tail -c 1; cat {efivars}/SetupMode-* | tail -c 1")
    assert flags.stdout == b"\1\0"


def test_an_answer_comes(running: Machine) -> None:
    assert "Paris" in running.succeed("claudine ask 'What is the capital of France?'", timeout_s=900)


def test_there_is_no_network_interface_and_no_frame_was_sent(running: Machine, real: RealMachine) -> None:
    assert running.succeed("ls /sys/class/net").split() == ["lo"]
    if real.hardware.network:
        assert frames(running.bench.files.network_capture) == []


def test_no_unit_failed_on_it(running: Machine) -> None:
    assert running.succeed("systemctl --failed --plain --no-legend") == ""
    assert running.succeed("systemctl is-system-running").strip() == "running"


# Another start, and the same on each machine.
@pytest.mark.parametrize("real", ["nvme"], indirect=True)
def test_a_check_of_a_machine_in_use_is_not_given_the_key_of_its_disk(running: Machine) -> None:
    """By the same TPM, with Secure Boot on: what differs is the boot entry, whose PCR 11 nobody has signed."""
    resets = running.watch.resets
    running.begin_restart()
    running.watch.until("the restart", lambda: running.watch.resets > resets or None, timeout_s=SHUTDOWN_TIMEOUT_S)
    choose(running, Entry.CHECK)
    seen = wait_for_report(running)
    assert flat("on, with the keys that this image is signed with") in seen
    assert flat(preflight_voice.PREVENTS) not in seen
    assert running.run("test -e /dev/mapper/state || mountpoint --quiet /var").returncode != 0
    opens = f"/usr/lib/systemd/systemd-cryptsetup attach probe {STATE} - tpm2-device=auto,headless=yes"
    assert running.run(opens, timeout_s=300).returncode != 0
    assert running.run("test -e /dev/mapper/probe").returncode != 0
    assert running.succeed("systemctl --failed --plain --no-legend") == ""
