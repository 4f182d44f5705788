"""Each claim about the programs that the firmware starts, broken in each way that it is about."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.model_image import Owner
from tests.support.tiny_boot import LOADERS, TinyBoot
from tests.support.tiny_program import ARGUMENTS, CHECKSUM_AT, program, signed
from tests.unit.verify.changes import EVE, Change, Checked, arguments, claims, kernel_with, programs, section, with_file


def changed_after_signing(image: bytes, owner: Owner) -> bytes:
    whole = bytearray(signed(image, owner))
    whole[1030] ^= 1
    return bytes(whole)


def wrong_checksum(image: bytes, owner: Owner) -> bytes:
    whole = bytearray(signed(image, owner))
    whole[CHECKSUM_AT] ^= 1
    return bytes(whole)


SIGNATURES: list[tuple[str, Callable[[bytes, Owner], bytes], str]] = [
    ("none", lambda image, owner: image, "0 signatures where one belongs"),
    ("somebody else's", lambda image, owner: signed(image, EVE), "another certificate"),
    ("the owner's and another", lambda image, owner: signed(image, owner, EVE), "2 signatures where one belongs"),
    ("another and the owner's", lambda image, owner: signed(image, EVE, owner), "2 signatures where one belongs"),
    ("one over another program", lambda image, owner: signed(image, owner, digest=bytes(32)), "over other content"),
    ("one from before a change", changed_after_signing, "over other content"),
    ("with something behind it", lambda image, owner: signed(image, owner, behind=b"12345678"), ""),
    ("zeroes behind it", lambda image, owner: signed(image, owner, behind=bytes(8)), "a signature of kind 0x0"),
    ("a file behind it", lambda image, owner: signed(image, owner) + b"x", "behind them"),
    ("a checksum of another file", wrong_checksum, "a wrong checksum"),
]


@pytest.mark.parametrize(("sign", "found"), [row[1:] for row in SIGNATURES], ids=[row[0] for row in SIGNATURES])
def test_a_boot_loader_with_another_signature_fails(
    sign: Callable[[bytes, Owner], bytes], found: str, checked: Checked
) -> None:
    failed = checked(programs("loader", sign)).failed
    assert claims(failed) == {"boot-loader-signature"}
    assert found in failed[0].found


# Where the file has something behind it, its parts cannot be told from each other.
@pytest.mark.parametrize(
    ("sign", "found"), [row[1:] for row in SIGNATURES if row[0] != "a file behind it"],
    ids=[row[0] for row in SIGNATURES if row[0] != "a file behind it"],
)  # fmt: skip
def test_a_kernel_image_with_another_signature_fails(
    sign: Callable[[bytes, Owner], bytes], found: str, checked: Checked
) -> None:
    failed = checked(programs("kernel", sign)).failed
    assert claims(failed) == {"uki-signature"}
    assert found in failed[0].found
    assert failed[0].where.startswith("ESP, byte")


def test_two_boot_loaders_that_differ_fail(owner: Owner, checked: Checked) -> None:
    other = program([(".text", b"older"), (".sdmagic", b"#### LoaderInfo: systemd-boot 261-1 ####")])
    failed = checked(with_file(LOADERS[1], signed(other, owner))).failed
    assert [(finding.claim, finding.found) for finding in failed] == [
        ("boot-loader-signature", "two boot loaders that differ")
    ]


def test_another_program_of_the_owner_is_no_boot_loader(owner: Owner, checked: Checked) -> None:
    shell = signed(program([(".text", b"a shell")]), owner)
    failed = checked(lambda boot: boot.changed.update(dict.fromkeys(LOADERS, shell))).failed
    assert claims(failed) == {"boot-loader-signature"}
    assert "not systemd-boot" in failed[0].found


SECTIONS: list[tuple[str, Change, str]] = [
    ("an unknown section", section(".hidden", b"x"), "an unknown section .hidden"),
    ("a device tree", section(".dtb", b"x"), "an unknown section .dtb"),
    ("no initrd", section(".initrd", None), "no section .initrd"),
    ("no description", section(".osrel", None), "no section .osrel"),
    ("something else than an initrd", section(".initrd", b"MZ"), "is no initrd"),
    ("something else than a kernel", section(".linux", bytes(2000)), "no kernel for x86"),
    ("another version of the kernel", kernel_with(uname="7.1.0"), "says otherwise than the kernel 7.2.12"),
    ("another system", section(".osrel", b"IMAGE_ID=claudineos\nIMAGE_VERSION=0.0.9\n"), "claudineos_0.0.9"),
    ("a description that is none", section(".osrel", b"hello world\n"), "no assignment"),
    ("a description with an open quote", section(".osrel", b'ID="'), "no assignment"),
    ("a description that is no text", section(".osrel", b"\xff\xff"), "no text"),
]


@pytest.mark.parametrize(("change", "found"), [row[1:] for row in SECTIONS], ids=[row[0] for row in SECTIONS])
def test_a_kernel_image_with_other_parts_fails(change: Change, found: str, checked: Checked) -> None:
    failed = checked(change).failed
    assert claims(failed) == {"uki-sections"}
    assert found in failed[0].found


def test_a_section_twice_fails_all_claims_about_the_sections(checked: Checked) -> None:
    change = kernel_with(added=[(".linux", b"x"), (".linux", b"y")])
    failed = checked(change).failed
    assert claims(failed) == {"uki-sections", "command-line", "pcr-signature", "record"}
    assert "two sections .linux" in failed[0].found


def test_another_way_to_start_brings_no_kernel_of_its_own(checked: Checked) -> None:
    entries = {"check": ("quiet",)}
    lines = {"main": list(ARGUMENTS), "check": [*ARGUMENTS, "quiet"]}
    assert not checked(kernel_with(entries=entries), command_lines=lines).failed
    failed = checked(kernel_with(entries=entries, added=[(".initrd", b"x")]), command_lines=lines).failed
    assert claims(failed) == {"uki-sections"}


LINES: list[tuple[str, Change, str]] = [
    ("more than the profile says", arguments("systemd.debug_shell"), "too much: systemd.debug_shell"),
    ("less than the profile says", arguments(without="quiet"), "missing: quiet"),
    ("another order", kernel_with(arguments=ARGUMENTS[::-1]), "in another order"),
    ("the same twice", arguments("quiet"), "one twice"),
    ("another root hash", lambda boot: kernel_with(root_hash="00" * 32)(boot), "another root hash"),
    ("two root hashes", arguments("roothash=" + "00" * 32), "another root hash"),
    ("quotes", arguments('dyndbg="module'), "read otherwise"),
    ("a line break", arguments("a\nb"), "read otherwise"),
    ("no command line", section(".cmdline", None), "no command line"),
]


@pytest.mark.parametrize(("change", "found"), [row[1:] for row in LINES], ids=[row[0] for row in LINES])
def test_other_kernel_arguments_fail(change: Change, found: str, checked: Checked) -> None:
    failed = [finding for finding in checked(change).failed if finding.claim != "uki-sections"]
    assert claims(tuple(failed)) == {"command-line"}
    assert found in " ".join(finding.found for finding in failed)


@pytest.mark.parametrize("argument", ["dm_verity.require_signatures=0", "lockdown=none", "systemd.gpt_auto=yes"])
def test_arguments_that_take_a_wall_away_fail_even_if_the_record_has_them(argument: str, checked: Checked) -> None:
    failed = checked(arguments(argument), command_lines={"main": [*ARGUMENTS, argument]}).failed
    assert claims(failed) == {"command-line"}
    assert argument.partition("=")[0] in failed[0].found


def test_a_way_to_start_that_the_record_does_not_know_fails(checked: Checked) -> None:
    failed = checked(kernel_with(entries={"shell": ("init=/bin/sh",)})).failed
    assert [(finding.claim, finding.found) for finding in failed] == [
        ("command-line", "shell: a way to start the image that the record does not know")
    ]


def policies(edit: Callable[[TinyBoot, dict[str, Any]], object]) -> Change:
    """Other signatures of PCR 11: what systemd-measure writes, edited."""

    def change(boot: TinyBoot) -> None:
        found = json.loads(boot.kernel.pcr_signatures(boot.kernel.sections()))
        edited = edit(boot, found) or found
        content = edited if isinstance(edited, bytes) else json.dumps(edited).encode()
        boot.kernel = replace(boot.kernel, signatures=content)

    return change


def with_entry(boot: TinyBoot, found: dict[str, Any], **fields: object) -> None:
    found["sha256"][1] |= fields


POLICIES: list[tuple[str, Change, str]] = [
    ("none", policies(lambda boot, found: {"sha256": []}), "no signature for enter-initrd"),
    ("one less", policies(lambda boot, found: {"sha256": found["sha256"][1:]}), "no signature"),
    (
        "one for something else",
        policies(lambda boot, found: found["sha256"].append(boot.kernel.signed_policy(bytes(32)))),
        "what PCR 11 never holds",
    ),
    ("one twice", policies(lambda boot, found: found["sha256"].append(found["sha256"][0])), "one twice"),
    (
        "one for another word",
        policies(lambda boot, found: with_entry(boot, found, ref="root")),
        "what PCR 11 never holds",
    ),
    ("for another bank", policies(lambda boot, found: found | {"sha1": []}), "does not write so"),
    ("for other registers", policies(lambda boot, found: with_entry(boot, found, pcrs=[7])), "does not write so"),
    ("with something beside", policies(lambda boot, found: with_entry(boot, found, note="x")), "does not write so"),
    ("a number for text", policies(lambda boot, found: with_entry(boot, found, sig=7)), "does not write so"),
    ("a wrong signature", policies(lambda boot, found: with_entry(boot, found, sig="AAAA")), "did not make"),
    ("no base64", policies(lambda boot, found: with_entry(boot, found, sig="*")), "did not make"),
    ("another key's name", policies(lambda boot, found: with_entry(boot, found, pkfp="00")), "names another key"),
    ("no JSON", policies(lambda boot, found: b"{"), "does not write so"),
    ("nested without end", policies(lambda boot, found: b"[" * 60_000), "does not write so"),
    ("a list", policies(lambda boot, found: b"[]"), "does not write so"),
]


@pytest.mark.parametrize(("change", "found"), [row[1:] for row in POLICIES], ids=[row[0] for row in POLICIES])
def test_other_signatures_of_the_tpms_register_fail(change: Change, found: str, checked: Checked) -> None:
    failed = checked(change).failed
    assert claims(failed) == {"pcr-signature"}
    assert found in failed[0].found


def test_signatures_of_somebody_elses_pcr_key_fail(checked: Checked) -> None:
    failed = checked(kernel_with(pcr=EVE)).failed
    assert claims(failed) == {"pcr-signature"}
    assert "not that of the owner's pcr certificate" in failed[0].found


def test_signatures_for_another_way_to_start_fail(checked: Checked) -> None:
    lines = {"main": list(ARGUMENTS), "check": [*ARGUMENTS, "quiet"]}
    change = kernel_with(entries={"check": ("quiet",)}, added=[(".pcrsig", b"{}")])
    failed = checked(change, command_lines=lines).failed
    assert claims(failed) == {"pcr-signature"}
    assert "another way than the usual one" in failed[0].found


def test_the_predicted_registers_depend_on_what_is_measured_into_them(checked: Checked, owner: Owner) -> None:
    first = checked().predicted_pcrs
    assert checked(arguments("debug")).predicted_pcrs.keys() == first.keys()
    changed = checked(arguments("debug")).predicted_pcrs
    assert (changed[4] != first[4], changed[7] == first[7], changed[11] != first[11]) == (True, True, True)
    microsoft = checked(lambda boot: setattr(boot, "microsoft", True)).predicted_pcrs
    assert (microsoft[4] == first[4], microsoft[7] != first[7], microsoft[11] == first[11]) == (True, True, True)
    assert checked(programs("kernel", lambda image, by: signed(image, EVE))).predicted_pcrs == {}
