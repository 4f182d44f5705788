"""What a person sees and does when the machine cannot start."""

import time
from collections.abc import Callable

import pytest

from claudine_state.console import Console, TerminalGoneError
from claudine_state.rescue import Rescue
from tests.state.person import Person
from tests.state.simulated_machine import PASSPHRASE, RECOVERY_KEY, SimulatedMachine, Token

WRONG_KEY = RECOVERY_KEY.replace("h", "i")
SEAL: Token = {"type": "claudine-seal", "keyslots": [], "pcrs": {"7": "aa"}}
PROMPT = "> "


def rescue(machine: SimulatedMachine) -> Callable[[Console], bool]:
    return lambda console: Rescue(machine.host, console).run()


@pytest.fixture
def locked(machine: SimulatedMachine) -> SimulatedMachine:
    machine.put_partition()
    machine.put_tpm("BB")
    machine.put_efi_flag("SecureBoot", True)
    machine.tokens["4"] = dict(SEAL)
    return machine


def open_with_recovery_key(person: Person[bool]) -> None:
    person.reads(PROMPT)
    person.types(RECOVERY_KEY + "\n")
    person.reads("The disk is open.")


def test_without_a_tpm_only_two_keys_do_something(machine: SimulatedMachine) -> None:
    with Person(rescue(machine)) as person:
        person.reads("storage.unlock: passphrase")
        person.reads("[R] restart\n[P] power off")
        for other in ("x", "e", "\x03", "\x04", "\x1a", "\x1c", "\x13", "\r", "\x1b[C", "\x1bOR", "rr", "\xff"):
            person.types(other)
            time.sleep(0.02)
        person.types("R")
        assert person.end() is False
    assert machine.calls == ["systemctl reboot"]


def test_a_disk_that_was_not_made_quotes_the_journal_without_its_control_characters(machine: SimulatedMachine) -> None:
    machine.put_tpm()
    machine.printed["journalctl --boot --unit=systemd-repart.service"] = (
        "Disk is \x1b[31mtoo small\x07, \x9b2J müde.\n" + "x" * 300
    ).encode()
    with Person(rescue(machine)) as person:
        person.reads("  Disk is ?[31mtoo small?, ?2J müde.\n  " + "x" * 77 + "\n\n")
        person.reads("[P] power off")
        person.types("p")
        assert person.end() is False
    assert machine.calls[-1] == "systemctl poweroff"


def test_the_recovery_key_opens_and_one_key_press_seals(locked: SimulatedMachine) -> None:
    with Person(rescue(locked)) as person:
        person.reads("PCR 7 changed")
        person.reads("Secure Boot is on")
        person.reads(PROMPT)
        person.types("cbde\n")
        person.reads("It has 4 letters")
        person.reads(PROMPT)
        person.types("q" * 64 + "\n")
        person.reads("the letter q")
        assert not locked.called("cryptsetup open")
        for _ in range(4):
            person.reads(PROMPT)
            person.types(WRONG_KEY + "\n")
            person.reads("does not open this disk")
        person.reads(PROMPT)
        person.types("\x03\x04" + RECOVERY_KEY + "\n")
        person.reads("There is a character in it")
        person.reads(PROMPT)
        person.types(RECOVERY_KEY.upper().replace("-", " ") + "\n")
        person.reads("[S] seal it again")
        person.types("s")
        assert person.end() is True
        assert person.screen.endswith("\x1b[H\x1b[2J\x1b[3J")
    assert [token for token in locked.tokens.values() if token["type"] == "claudine-seal"] == [
        SEAL | {"pcrs": {"7": "bb"}}
    ]
    assert not any(RECOVERY_KEY in call for call in locked.calls)
    assert next(call for call in locked.calls if call.startswith("systemd-cryptenroll")).split() == [
        "systemd-cryptenroll",
        "--unlock-key-file=/dev/stdin",
        "--wipe-slot=tpm2",
        "--tpm2-device=auto",
        "--tpm2-pcrs=7",
        "--tpm2-public-key=/run/systemd/tpm2-pcr-public-key.pem",
        "--tpm2-public-key-pcrs=11",
        "--tpm2-signature=/run/systemd/tpm2-pcr-signature.json",
        str(locked.host.partition),
    ]


def test_continuing_once_seals_nothing(locked: SimulatedMachine) -> None:
    locked.put_tpm("AA")
    with Person(rescue(locked)) as person:
        person.reads("this is another TPM")
        open_with_recovery_key(person)
        person.types("c")
        assert person.end() is True
    assert not locked.called("systemd-cryptenroll")


def test_a_failed_sealing_leaves_the_choice(locked: SimulatedMachine) -> None:
    locked.failing["systemd-cryptenroll"] = (1, "TPM is in lockout mode.")
    with Person(rescue(locked)) as person:
        open_with_recovery_key(person)
        person.types("s")
        person.reads("TPM is in lockout mode.")
        person.reads("[C]")
        person.types("c")
        assert person.end() is True


def test_sealing_without_secure_boot_is_warned_about(locked: SimulatedMachine) -> None:
    locked.put_efi_flag("SecureBoot", False)
    with Person(rescue(locked)) as person:
        person.reads("Secure Boot is off")
        open_with_recovery_key(person)
        person.reads("Secure Boot is not protecting")
        person.types("c")
        assert person.end() is True


def test_without_a_tpm_the_recovery_key_opens_once(machine: SimulatedMachine) -> None:
    machine.put_partition()
    with Person(rescue(machine)) as person:
        person.reads("shows none now")
        open_with_recovery_key(person)
        person.reads("[C] continue")
        person.types("s")
        time.sleep(0.02)
        person.types("c")
        assert person.end() is True
    assert not machine.called("systemd-cryptenroll")


def test_a_replaced_header_gets_no_recovery_key_and_starting_over_takes_words(machine: SimulatedMachine) -> None:
    partition = machine.put_partition()
    machine.put_tpm()
    machine.tokens = {"0": {"type": "systemd-recovery", "keyslots": ["1"]}}
    with Person(rescue(machine)) as person:
        person.reads("somebody replaced its header")
        person.reads("[E] erase everything")
        assert "> " not in person.screen
        person.types("e")
        person.reads(PROMPT)
        person.types("yes\n")
        person.reads("[E] erase everything")
        assert not machine.called("cryptsetup luksErase")
        person.types("e")
        person.reads(PROMPT)
        person.types("Erase Everything\n")
        assert person.end() is False
    assert partition.read_bytes() == bytes(1024)
    assert machine.calls[-3:] == [
        "/usr/lib/systemd/systemd-factory-reset request",
        f"cryptsetup luksErase --batch-mode {partition}",
        "systemctl reboot",
    ]


def test_nothing_is_erased_when_no_new_disk_would_be_made(machine: SimulatedMachine) -> None:
    partition = machine.put_partition()
    machine.is_luks = False
    machine.failing["/usr/lib/systemd/systemd-factory-reset request"] = (1, "Not an EFI boot.")
    with Person(rescue(machine)) as person:
        person.reads("not a valid LUKS device")
        person.types("e")
        person.reads(PROMPT)
        person.types("erase everything\n")
        person.reads("Not an EFI boot.")
        person.reads("[R]")
        person.types("r")
        assert person.end() is False
    assert partition.read_bytes() == b"\xff" * 1024


def test_a_reset_that_failed_can_be_asked_for_again(machine: SimulatedMachine) -> None:
    machine.put_partition()
    machine.keys.clear()
    machine.resetting = True
    machine.failing["/usr/lib/systemd/systemd-factory-reset request"] = (1, "System is in factory reset mode.")
    with Person(rescue(machine)) as person:
        person.reads("My disk was erased")
        person.types("e")
        person.reads(PROMPT)
        person.types("erase everything\n")
        assert person.end() is False


@pytest.mark.parametrize(("typed", "said"), [("reset\n", "for good"), ("\n", "[K] type the key")])
def test_other_ways_than_the_recovery_key(locked: SimulatedMachine, typed: str, said: str) -> None:
    with Person(rescue(locked)) as person:
        person.reads(PROMPT)
        person.types(typed)
        person.reads(said)


def test_a_damaged_file_system_is_repaired(locked: SimulatedMachine) -> None:
    locked.put("dev/mapper/state")
    locked.failing["e2fsck"] = (8, "Cannot read.")
    locked.printed["journalctl"] = b"Bad superblock"
    with Person(rescue(locked)) as person:
        person.reads("  Bad superblock\n")
        person.reads("[F]")
        person.types("f")
        person.reads("e2fsck: Cannot read.")
        locked.failing["e2fsck"] = (1, "")
        person.reads("[F]")
        person.types("f")
        assert person.end() is True
    assert f"e2fsck -f -y -C 0 {locked.host.volume}" in locked.calls


def test_a_passphrase_is_asked_for_again_and_not_shown(machine: SimulatedMachine) -> None:
    machine.put("usr/lib/claudine-state/unlock", "passphrase\n")
    machine.put_partition()
    machine.keys = {"0": PASSPHRASE}
    with Person(rescue(machine)) as person:
        person.reads("Passphrase: ")
        person.types("reset\n")
        person.reads("does not open this disk")
        person.reads("Passphrase: ")
        person.types("x\x15" + PASSPHRASE + "?\x7f\n")
        assert person.end() is True
    assert "horse" not in person.screen


def test_what_failed_elsewhere_is_listed(machine: SimulatedMachine) -> None:
    machine.put("proc/self/mounts", "/dev/mapper/state /var ext4 rw 0 0\n")
    machine.printed["systemctl list-units"] = b"a.service loaded failed failed A\nb.service loaded failed failed B\n"
    machine.printed["journalctl --boot --unit=a.service"] = b"Cannot \x1b[1mstart.\n"
    with Person(rescue(machine)) as person:
        person.reads("  a.service\n    Cannot ?[1mstart.\n  b.service\n")
        person.types("p")
        assert person.end() is False


def test_a_terminal_that_is_gone_ends_it(locked: SimulatedMachine) -> None:
    with Person(rescue(locked)) as person:
        person.reads(PROMPT)
        person.hang_up()
        with pytest.raises(TerminalGoneError):
            person.end()


def test_everything_fits_80_columns(locked: SimulatedMachine) -> None:
    with Person(rescue(locked)) as person:
        open_with_recovery_key(person)
        person.reads("[C]")
        person.types("c")
        person.end()
    assert max(map(len, person.screen.replace("\x1b[H\x1b[2J\x1b[3J", "").splitlines())) < 80


def test_the_terminal_is_left_as_it_was(machine: SimulatedMachine) -> None:
    with Person(rescue(machine)) as person:
        person.reads("[R]")
        person.types("r")
        person.end()
        assert person.attributes() == person.attributes_before
