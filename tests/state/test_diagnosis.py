"""From what can be seen to what is wrong."""

import json
from dataclasses import replace

import pytest

from claudine_state import voice
from claudine_state.diagnosis import Kind, Offer, Problem, diagnose
from claudine_state.facts import Facts, look
from claudine_state.header import Header, parse_header
from tests.state.simulated_machine import SimulatedMachine

SEALED = Header(keyslots=frozenset("01"), sealed=True, seal_token="3", sealed_pcr7="aa")
LOCKED = Facts("tpm2", has_tpm=True, has_partition=True, header=SEALED, pcr7="aa", has_signature=True)
LEAVE = (Offer.RESTART, Offer.POWER_OFF)
START_OVER = (Offer.START_OVER, *LEAVE)
UNLOCK = (Offer.UNLOCK, *START_OVER)


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        (Facts("tpm2"), Problem(Kind.NO_TPM, LEAVE)),
        (Facts("tpm2", has_tpm=True), Problem(Kind.NOT_CREATED, LEAVE)),
        (Facts("passphrase"), Problem(Kind.NOT_CREATED, LEAVE)),
        (Facts("tpm2", has_partition=True, header_error="no"), Problem(Kind.NO_HEADER, START_OVER)),
        (Facts("passphrase", has_partition=True), Problem(Kind.NO_HEADER, START_OVER)),
        (replace(LOCKED, header=replace(SEALED, keyslots=frozenset())), Problem(Kind.ERASED, START_OVER)),
        (replace(LOCKED, header=replace(SEALED, sealed=False)), Problem(Kind.FOREIGN_HEADER, START_OVER)),
        (
            replace(LOCKED, has_tpm=False, header=replace(SEALED, sealed=False)),
            Problem(Kind.FOREIGN_HEADER, START_OVER),
        ),
        (replace(LOCKED, has_tpm=False, pcr7=None), Problem(Kind.TPM_MISSING, UNLOCK)),
        (replace(LOCKED, has_signature=False), Problem(Kind.NO_SIGNATURE, UNLOCK)),
        (LOCKED, Problem(Kind.OTHER_TPM, UNLOCK)),
        (replace(LOCKED, pcr7="bb"), Problem(Kind.PCR7_CHANGED, UNLOCK)),
        (replace(LOCKED, pcr7=None), Problem(Kind.TPM_REFUSES, UNLOCK)),
        (replace(LOCKED, header=replace(SEALED, sealed_pcr7=None)), Problem(Kind.TPM_REFUSES, UNLOCK)),
        (replace(LOCKED, unlock="passphrase"), Problem(Kind.LOCKED, UNLOCK)),
        (replace(LOCKED, unlock="passphrase", header=Header(frozenset("0"))), Problem(Kind.LOCKED, UNLOCK)),
        (replace(LOCKED, is_open=True), Problem(Kind.DAMAGED, (Offer.REPAIR, *START_OVER))),
        (replace(LOCKED, is_open=True, is_mounted=True), Problem(Kind.OTHER, LEAVE)),
    ],
)
def test_diagnosis(facts: Facts, problem: Problem) -> None:
    assert diagnose(facts) == problem


@pytest.mark.parametrize("kind", Kind)
def test_there_are_words_for_everything(kind: Kind) -> None:
    assert "{" not in voice.problem(kind, LOCKED)


@pytest.mark.parametrize(
    ("secure_boot", "setup_mode", "said"),
    [(True, False, "is on"), (False, False, "is off"), (False, True, "setup mode"), (None, None, "does not say")],
)
def test_secure_boot_in_words(secure_boot: bool | None, setup_mode: bool | None, said: str) -> None:
    assert said in voice.secure_boot(replace(LOCKED, secure_boot=secure_boot, setup_mode=setup_mode))


def test_facts_of_a_machine_that_shows_nothing(machine: SimulatedMachine) -> None:
    assert look(machine.host) == Facts("tpm2")
    assert machine.calls == []


def test_facts_of_a_machine_that_shows_everything(machine: SimulatedMachine) -> None:
    machine.put_partition()
    machine.put_tpm("AB")
    machine.put_efi_flag("SecureBoot", True)
    machine.put_efi_flag("SetupMode", False)
    machine.put("dev/mapper/state")
    machine.put("proc/self/mounts", "/dev/mapper/state /var ext4 rw 0 0\n")
    facts = look(machine.host)
    assert facts == replace(
        facts,
        has_tpm=True,
        has_partition=True,
        is_open=True,
        is_mounted=True,
        pcr7="ab",
        has_signature=True,
        secure_boot=True,
        setup_mode=False,
    )
    assert facts.header is not None and facts.header.sealed


def test_facts_of_a_partition_without_header(machine: SimulatedMachine) -> None:
    machine.put_partition()
    machine.is_luks = False
    facts = look(machine.host)
    assert facts.header is None
    assert facts.header_error == "cryptsetup: Device is not a valid LUKS device."


HOSTILE: list[object] = [
    [],
    None,
    {"tokens": []},
    {"keyslots": 7},
    {"tokens": {"0": None, "1": [], "2": {"type": {}}}},
    {"tokens": {"0": {"type": "systemd-recovery", "keyslots": "1"}, "1": {"type": "systemd-recovery"}}},
    {"tokens": {"0": {"type": "systemd-recovery", "keyslots": [1, None, {}]}}},
]


@pytest.mark.parametrize("metadata", HOSTILE)
def test_a_strange_header_says_nothing(metadata: object) -> None:
    assert parse_header(json.dumps(metadata).encode()) == Header()


@pytest.mark.parametrize("pcrs", [None, "aa", [], {"7": 1}, {"7": None}, {}])
def test_a_strange_record_is_none(pcrs: object) -> None:
    metadata = {"tokens": {"5": {"type": "claudine-seal", "keyslots": [], "pcrs": pcrs}}}
    assert parse_header(json.dumps(metadata).encode()) == Header(seal_token="5")
