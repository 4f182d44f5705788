"""A machine without a TPM, whose owner chose to be asked for a passphrase at each start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.toolchain import Toolchain
from builder.vm.hardware import Hardware
from builder.vm.machine import Machine
from claudine_state import voice
from claudine_state.diagnosis import Kind
from claudine_state.facts import Facts
from tests.image.faults.machines import EXPECTED
from tests.image.faults.rescue import expect_running, wait_for_rescue
from tests.image.screen import TIMEOUT_S, wait_for_client, wait_for_text
from tests.image.variants import build_variant

PROFILE = Path(__file__).parent / "profiles/passphrase.yaml"
PASSPHRASE = "correct horse battery"
# systemd's own words, without what depends on the disk.
ASKED = "Please enter passphrase for disk"


@pytest.fixture(scope="module")
def machine(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine at its first start, as soon as it can be asked."""
    image = build_variant(PROFILE)
    with Machine(toolchain, image, tmp_path_factory.mktemp("passphrase"), hardware=Hardware(tpm=None)) as machine:
        machine.watch.serial_log.expected = EXPECTED
        machine.wait_for_shell()
        yield machine


def wait_for_question(machine: Machine, number: int) -> None:
    """Wait until systemd has asked for the passphrase as many times in this start."""
    machine.watch.until(
        f"question {number}",
        lambda: machine.console_text().count(ASKED) >= number or None,
        timeout_s=TIMEOUT_S,
        every_s=2.0,
    )


def test_the_first_start_asks_for_a_good_passphrase_twice(machine: Machine) -> None:
    wait_for_text(machine, voice.PASSPHRASE_PROMPT.strip())
    machine.send_keys("short\n")
    wait_for_text(machine, voice.PASSPHRASE_SHORT.format(length=5, minimum=12))
    machine.send_keys(f"{PASSPHRASE}\n")
    wait_for_text(machine, voice.PASSPHRASE_AGAIN.strip())
    machine.send_keys(f"{PASSPHRASE}\n")
    wait_for_client(machine)
    expect_running(machine)


def test_it_is_kept_nowhere_and_costs_an_attacker_time(machine: Machine) -> None:
    assert machine.run("test -e /run/claudine-state/passphrase").returncode != 0
    assert PASSPHRASE not in machine.console_text()
    assert "argon2id" in machine.succeed("cryptsetup luksDump /dev/disk/claudine-state")


def test_the_next_start_asks_for_it_and_takes_no_other(machine: Machine) -> None:
    machine.restart()
    wait_for_question(machine, 1)
    machine.send_keys(f"{PASSPHRASE[::-1]}\n")
    wait_for_question(machine, 2)
    assert machine.run("test -e /dev/mapper/state").returncode != 0
    machine.send_keys(f"{PASSPHRASE}\n")
    wait_for_client(machine)
    expect_running(machine)


def test_after_three_wrong_ones_the_screen_says_what_is_left_to_do(machine: Machine) -> None:
    machine.restart()
    for attempt in range(1, 4):
        wait_for_question(machine, attempt)
        machine.send_keys("not this one at all\n")
    wait_for_rescue(machine, Kind.LOCKED, Facts(unlock="passphrase"))
    machine.send_keys(f"{PASSPHRASE}\n")
    wait_for_client(machine)
    expect_running(machine)
