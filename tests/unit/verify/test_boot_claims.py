"""Each claim about what the firmware starts, broken in each way that it is about; nothing else is found then."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from builder.keys import authvar
from builder.verify import Evidence, Finding, verify
from builder.verify.layout import ESP, STATE
from tests.support.model_image import Owner
from tests.support.tiny_boot import LOADERS, MENU, TinyBoot, root_hash_of, tiny_boot, write_build
from tests.support.tiny_disk import Part, TinyDisk
from tests.support.tiny_fat import SECTOR
from tests.support.tiny_image import LABEL
from tests.support.tiny_program import ARGUMENTS, CHECKSUM_AT, boot_loader, program, signed

MENU_PATH = "loader/loader.conf"
KERNEL_PATH = f"EFI/Linux/{LABEL}.efi"
KEYS = "loader/keys/auto/"
EVE = Owner("Eve")
# What cannot be said of a partition that cannot be read.
ABOUT_THE_ESP = {
    *("esp", "boot-menu", "enrolment", "boot-loader-signature", "uki-signature", "uki-sections"),
    *("command-line", "pcr-signature", "record"),
}

# Changes what is on the partition; returns the partition's bytes where they are not what follows from that.
Change = Callable[[TinyBoot], bytes | None]
Checked = Callable[..., Evidence]


@pytest.fixture
def checked(system: TinyDisk, owner: Owner, certificate: Path, tmp_path: Path) -> Checked:
    """The evidence of a build that put something else on the partition, with a record that says so (but its claims)."""

    def check(change: Change = lambda boot: None, **record_changes: object) -> Evidence:
        boot = tiny_boot(owner, LABEL, root_hash_of(system))
        content = change(boot)
        system.part(ESP).content = boot.to_bytes() if content is None else content
        image, record = write_build(tmp_path, system, boot)
        record = {**record, "command_lines": {"main": list(ARGUMENTS)}, **record_changes}
        (tmp_path / "build.json").write_text(json.dumps(record))
        return verify(image, [certificate])

    return check


def claims(failed: tuple[Finding, ...]) -> set[str]:
    return {finding.claim for finding in failed}


def with_file(path: str, content: bytes | None) -> Change:
    return lambda boot: boot.changed.update({path: content})


def patched(*patches: tuple[int, bytes]) -> Change:
    """Bytes of the finished volume that are overwritten."""

    def change(boot: TinyBoot) -> bytes:
        content = bytearray(boot.to_bytes())
        for offset, data in patches:
            content[offset : offset + len(data)] = data
        return bytes(content)

    return change


def in_file(path: str, offset: int, data: bytes) -> Change:
    """Bytes of a file that are overwritten, behind its end as well; a negative offset counts from its end."""

    def change(boot: TinyBoot) -> bytes:
        volume = boot.volume()
        at = offset if offset >= 0 else len(volume.files[path]) + offset
        content = bytearray(volume.to_bytes())
        place = volume.offset(path) + at
        content[place : place + len(data)] = data
        return bytes(content)

    return change


def volume_with(**fields: object) -> Change:
    def change(boot: TinyBoot) -> bytes:
        volume = boot.volume()
        for name, value in fields.items():
            setattr(volume, name, value)
        return volume.to_bytes()

    return change


def behind_the_end(path: str) -> Change:
    return lambda boot: in_file(path, len(boot.files()[path]), b"x")(boot)


def in_free_cluster(boot: TinyBoot) -> bytes:
    content = boot.to_bytes()
    return content[:-1] + b"x"


def behind_the_volume(boot: TinyBoot) -> bytes:
    return boot.to_bytes() + b"hidden".ljust(SECTOR, b"\0")


def test_a_build_passes(checked: Checked) -> None:
    evidence = checked()
    assert not evidence.failed
    assert ABOUT_THE_ESP | {"absence", "sbom", "manifest", "lock"} <= {finding.claim for finding in evidence.findings}
    assert sorted(evidence.predicted_pcrs) == [4, 7, 11]


ESPS: list[tuple[str, Change, str]] = [
    ("a boot entry", with_file("loader/entries/other.conf", b"linux /vmlinuz"), "a file loader/entries/other.conf"),
    ("a credential", with_file("loader/credentials/shell.cred", b"x"), "a file loader/credentials/shell.cred"),
    ("an add-on", with_file(f"{KERNEL_PATH}.extra.d/more.addon.efi", b"x"), ".extra.d/more.addon.efi"),
    ("another kernel", with_file("EFI/Linux/claudineos_0.0.9.efi", b"x"), "a file EFI/Linux/claudineos_0.0.9.efi"),
    ("an empty file", with_file("empty", b""), "a file empty of 0 bytes"),
    ("a folder", volume_with(empty_folders=("EFI/vendor",)), "a folder EFI/vendor"),
    ("data behind a file", behind_the_end(MENU_PATH), "data where there is no file"),
    ("data in a free cluster", in_free_cluster, "data where there is no file"),
    ("data behind the volume", behind_the_volume, "data where there is no file"),
    ("data in a reserved sector", patched((12 * SECTOR, b"x")), "data where there is no file"),
    ("a program for a BIOS", patched((90, b"\xeb"), (6 * SECTOR + 90, b"\xeb")), "a program for a BIOS"),
    ("another serial number", volume_with(serial=7), "the serial number 00000007"),
    ("another day", volume_with(day=date(2025, 1, 1)), "files of 2025-01-01"),
]


@pytest.mark.parametrize(("change", "found"), [row[1:] for row in ESPS], ids=[row[0] for row in ESPS])
def test_anything_more_on_the_partition_fails(change: Change, found: str, checked: Checked) -> None:
    failed = checked(change).failed
    assert claims(failed) == {"esp"}
    assert found in " ".join(finding.found for finding in failed)
    assert failed[0].where.startswith("ESP, byte")


@pytest.mark.parametrize(
    ("path", "also"),
    [
        (MENU_PATH, {"boot-menu"}),
        (LOADERS[1], {"boot-loader-signature"}),
        (f"{KEYS}db.auth", {"enrolment"}),
        (KERNEL_PATH, {"uki-signature", "uki-sections", "command-line", "pcr-signature", "record"}),
    ],
)
def test_a_missing_file_fails_the_claims_about_it(path: str, also: set[str], checked: Checked, tmp_path: Path) -> None:
    def without(boot: TinyBoot) -> bytes:
        volume = boot.volume()
        del volume.files[path]
        return volume.to_bytes()

    assert claims(checked(without).failed) == {"esp"} | also


def table_with(cluster: int, following: int) -> Change:
    """Both tables changed in the same way."""

    def change(boot: TinyBoot) -> bytes:
        volume = boot.volume()
        content = bytearray(volume.to_bytes())
        first = volume.table_offset(cluster)
        second = first + (volume.offset("") - volume.table_offset(0)) // 2
        for place in (first, second):
            content[place : place + 4] = following.to_bytes(4, "little")
        return bytes(content)

    return change


def entry_with(path: str, at: int, data: bytes) -> Change:
    """Changes the entry (32 bytes) of a file in its folder: the last one there."""

    def change(boot: TinyBoot) -> bytes:
        volume = boot.volume()
        content = bytearray(volume.to_bytes())
        folder = volume.offset(path.rpartition("/")[0])
        used = next(at for at in range(0, SECTOR, 32) if not content[folder + at])
        place = folder + used - 32 + at
        content[place : place + len(data)] = data
        return bytes(content)

    return change


VOLUMES: list[tuple[str, Change, str]] = [
    ("nothing", lambda boot: bytes(1 << 16), "no boot sector"),
    ("a few bytes", lambda boot: bytes(SECTOR), "no boot sector"),
    ("another file system", patched((82, b"FAT16")), "no boot sector"),
    ("a boot sector without its copy", patched((67, b"xxxx")), "the copy of the boot sector is different"),
    ("sectors of no known size", patched((11, b"\x01\x02")), "sectors of 513 bytes"),
    ("no sectors in a cluster", patched((13, b"\0")), "0 in a cluster"),
    ("a wild number of sectors", patched((32, b"\xff\xff\xff\xff")), "a volume of 4294967295 sectors"),
    ("a wild length of tables", patched((36, b"\xff\xff\xff\xff")), "with tables of"),
    ("no tables", patched((36, b"\0\0\0\0")), "with tables of 0"),
    ("two tables that differ", patched((32 * SECTOR + 40, b"\x01")), "the two allocation tables differ"),
    ("a chain in a circle", table_with(2, 2), "in two chains, or twice in one"),
    ("a chain that leads out", table_with(2, 0x00FFFFFF), "leads to number"),
    ("a chain with high bits", table_with(2, 0xFFFFFFFF), "leads to number"),
    ("a chain to a free cluster", table_with(2, 0), "leads to number 0"),
    ("a bad cluster", table_with(2, 0x0FFFFFF7), "leads to number"),
    ("no first entry", table_with(0, 0), "no cluster"),
    ("a wrong count of free clusters", patched((SECTOR + 488, b"\xff")), "free clusters counted"),
    ("no information", patched((SECTOR, b"xxxx")), "information is none"),
    ("something in the information", patched((SECTOR + 100, b"x")), "information is none"),
    ("a deleted file", entry_with(MENU_PATH, 0, b"\xe5"), ""),
    ("a hidden file", entry_with(MENU_PATH, 11, b"\x22"), "attributes 0x22"),
    ("a file too long for its clusters", entry_with(MENU_PATH, 28, b"\xff\xff"), "bytes in"),
    ("a file too short for its clusters", entry_with(KERNEL_PATH, 28, b"\x01\0\0"), "bytes in"),
    ("a file in another's clusters", entry_with(MENU_PATH, 26, b"\x02"), "in two chains"),
    ("a file that begins nowhere", entry_with(MENU_PATH, 20, b"\xff"), "leads to number"),
    ("an empty file with clusters", entry_with(MENU_PATH, 28, bytes(4)), "is empty and has clusters"),
    ("another short name", entry_with(MENU_PATH, 0, b"X"), "does not belong to the short one"),
    ("an impossible day", entry_with(MENU_PATH, 24, b"\0\0"), "a time that is none"),
    ("a time between seconds", entry_with(MENU_PATH, 13, b"\x07"), "between two seconds"),
]


@pytest.mark.parametrize(("change", "found"), [row[1:] for row in VOLUMES], ids=[row[0] for row in VOLUMES])
def test_a_partition_that_the_firmware_may_read_otherwise_fails_all_claims_about_it(
    change: Change, found: str, checked: Checked
) -> None:
    failed = checked(change).failed
    assert claims(failed) == ABOUT_THE_ESP
    assert all(found in finding.found for finding in failed if finding.claim != "record")


MENUS: list[tuple[str, bytes, str]] = [
    ("an editor", MENU.encode().replace(b"editor no", b"editor yes"), "editor yes"),
    ("nothing about an editor", MENU.encode().replace(b"editor no\n", b""), "editor None"),
    ("an editor after all", MENU.encode() + b"editor yes\n", "editor yes"),
    ("a default entry", MENU.encode() + b"default other.conf\n", "a setting that no image has"),
    ("a word too many", MENU.encode() + b"beep yes please\n", "a setting that no image has"),
    ("another comment", MENU.encode().replace(b"No", b"An"), "another text"),
    ("no text", MENU.encode() + b"\xff", "something else than plain text"),
    ("more than a menu", MENU.encode() + b"#" * 5000, "bytes"),
]


@pytest.mark.parametrize(("content", "found"), [row[1:] for row in MENUS], ids=[row[0] for row in MENUS])
def test_another_boot_menu_fails(content: bytes, found: str, checked: Checked) -> None:
    failed = checked(with_file(MENU_PATH, content)).failed
    assert claims(failed) == {"boot-menu"}
    assert found in failed[0].found


def update(name: str, variable: authvar.Variable, *listed: Owner, **options: Any) -> Change:
    """Puts an enrolment file there that lists these certificates; "signer" is who signs it."""

    def change(boot: TinyBoot) -> None:
        certificates = [owner.certificate for owner in listed]
        boot.changed[KEYS + name] = boot.update(variable, *certificates, **options)

    return change


def enrolment(name: str, variable: authvar.Variable, count: int, *others: Owner) -> Change:
    return lambda boot: update(name, variable, *[boot.owner] * count, *others)(boot)


UPDATES: list[tuple[str, Change, str]] = [
    ("somebody else's PK", update("PK.auth", authvar.PK, EVE, signer=EVE), "another certificate signed it"),
    ("a PK that the owner gives to somebody", update("PK.auth", authvar.PK, EVE), "another certificate than the owner"),
    ("a db of somebody else", update("db.auth", authvar.DB, EVE, EVE, signer=EVE), "another certificate signed it"),
    ("a db with somebody else", enrolment("db.auth", authvar.DB, 2, EVE), "neither the owner's nor Microsoft's"),
    ("a KEK with somebody else", enrolment("KEK.auth", authvar.KEK, 1, EVE), "neither the owner's nor Microsoft's"),
    ("a db without the verity key", enrolment("db.auth", authvar.DB, 1), "1 certificates where 2 belong"),
    ("a KEK in the place of PK", enrolment("PK.auth", authvar.KEK, 1), "does not match"),
    ("hashes instead of certificates", update("db.auth", authvar.DB, content=bytes(60)), "X.509"),
    ("an empty db", update("db.auth", authvar.DB, content=b"x"), "cut off"),
    ("nothing", with_file(f"{KEYS}PK.auth", b""), "cut off"),
    ("garbage", with_file(f"{KEYS}PK.auth", bytes(range(256)) * 4), "does not begin like"),
    ("a lot", with_file(f"{KEYS}PK.auth", bytes(100_000)), "100000 bytes"),
    ("a signature of another time", in_file(f"{KEYS}KEK.auth", 2, b"\x03"), "does not match"),
]


@pytest.mark.parametrize(("change", "found"), [row[1:] for row in UPDATES], ids=[row[0] for row in UPDATES])
def test_enrolment_files_that_trust_others_fail(change: Change, found: str, checked: Checked) -> None:
    failed = checked(change).failed
    assert claims(failed) == {"enrolment"}
    assert found in failed[0].found


def test_microsofts_certificates_may_be_in_db_and_are_named(checked: Checked) -> None:
    evidence = checked(lambda boot: setattr(boot, "microsoft", True))
    assert not evidence.failed
    (found,) = [finding.found for finding in evidence.findings if finding.claim == "enrolment"]
    assert found.endswith("and Microsoft's")


def programs(of: str, sign: Callable[[bytes, Owner], bytes]) -> Change:
    """Puts other bytes in the place of the boot loader (both) or the kernel image, made from the unsigned one."""

    def change(boot: TinyBoot) -> None:
        if of == "kernel":
            boot.changed[KERNEL_PATH] = sign(boot.kernel.to_bytes(), boot.owner)
        else:
            boot.changed |= dict.fromkeys(LOADERS, sign(boot_loader(), boot.owner))

    return change


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


def kernel_with(**fields: object) -> Change:
    def change(boot: TinyBoot) -> None:
        boot.kernel = replace(boot.kernel, **fields)  # type: ignore[arg-type]

    return change


def section(name: str, content: bytes | None) -> Change:
    return lambda boot: kernel_with(changed={name: content})(boot)


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


def arguments(*more: str, without: str = "-") -> Change:
    return kernel_with(arguments=(*(argument for argument in ARGUMENTS if argument != without), *more))


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


def test_the_record_of_another_build_fails(checked: Checked) -> None:
    assert claims(checked(root_hash="00" * 32).failed) == {"record"}
    assert claims(checked(partitions=[]).failed) == {"record"}
    assert claims(checked(partitions=[7]).failed) == {"record"}


def test_another_version_in_the_record_fails(checked: Checked) -> None:
    assert claims(checked(version="0.2.0").failed) == {"uki-sections"}


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        (f"{LABEL}.cdx.json", "sbom"),
        (f"{LABEL}.manifest", "manifest"),
        ("absence.json", "absence"),
        (f"{LABEL}.lock", "lock"),
        (f"{LABEL}.efi", "uki-file"),
    ],
)
def test_a_file_beside_the_image_that_was_changed_or_is_missing_fails(
    name: str, claim: str, checked: Checked, tmp_path: Path, certificate: Path
) -> None:
    assert not checked().failed
    image = tmp_path / f"{LABEL}.raw"
    with (tmp_path / name).open("a") as file:
        file.write("more")
    assert claims(verify(image, [certificate]).failed) == {claim}
    (tmp_path / name).unlink()
    (failed,) = verify(image, [certificate]).failed
    assert (failed.claim, failed.found, failed.where) == (claim, "no such file", name)


def test_a_record_cannot_point_elsewhere(checked: Checked) -> None:
    failed = checked(files={"../../etc/passwd": "00", "absence.json/x": "00"}).failed
    outside = [finding for finding in failed if finding.claim == "file"]
    assert {finding.found for finding in outside} == {"no such file"}


@pytest.mark.parametrize("value", [None, 7, [], "x", {"main": 7}, {"main": [7]}, {"a": {}}])
@pytest.mark.parametrize("name", ["files", "command_lines", "partitions", "boot_menu", "source_date", "version"])
def test_a_record_that_says_nonsense_is_a_finding_and_no_crash(name: str, value: object, checked: Checked) -> None:
    assert checked(**{name: value}).failed


def test_without_a_record_the_image_is_checked_and_what_cannot_be_is_said(
    checked: Checked, tmp_path: Path, certificate: Path
) -> None:
    checked()
    (tmp_path / "build.json").unlink()
    failed = verify(tmp_path / f"{LABEL}.raw", [certificate]).failed
    assert [(finding.claim, finding.found) for finding in failed] == [
        ("command-line", "no record (build.json) of what the profile says"),
        ("record", "no build.json"),
    ]


def test_a_machines_own_state_is_no_difference_from_the_record(
    checked: Checked, system: TinyDisk, tmp_path: Path, certificate: Path
) -> None:
    checked()
    system.parts.append(Part(STATE, "0f6de5c8-3a2c-4f0c-8a56-2f3a1d0f7b11", "claudine-state", bytes(SECTOR)))
    image = tmp_path / f"{LABEL}.raw"
    image.write_bytes(system.to_bytes())
    assert claims(verify(image, [certificate]).failed) == {"image-file"}


def test_the_predicted_registers_depend_on_what_is_measured_into_them(checked: Checked, owner: Owner) -> None:
    first = checked().predicted_pcrs
    assert checked(arguments("debug")).predicted_pcrs.keys() == first.keys()
    changed = checked(arguments("debug")).predicted_pcrs
    assert (changed[4] != first[4], changed[7] == first[7], changed[11] != first[11]) == (True, True, True)
    microsoft = checked(lambda boot: setattr(boot, "microsoft", True)).predicted_pcrs
    assert (microsoft[4] == first[4], microsoft[7] != first[7], microsoft[11] == first[11]) == (True, True, True)
    assert checked(programs("kernel", lambda image, by: signed(image, EVE))).predicted_pcrs == {}
