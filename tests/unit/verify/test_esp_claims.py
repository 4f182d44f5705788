"""Each claim about the EFI system partition, broken in each way that it is about; nothing else is found then."""

from datetime import date
from typing import Any

import pytest

from builder.keys import authvar
from builder.verify.layout import STATE
from tests.support.model_image import Owner
from tests.support.tiny_boot import LOADERS, MENU, TinyBoot
from tests.support.tiny_disk import Part, TinyDisk
from tests.support.tiny_fat import SECTOR, TinyFat
from tests.unit.verify.changes import (
    EVE,
    KERNEL_PATH,
    KEYS,
    MENU_PATH,
    Change,
    Checked,
    claims,
    in_file,
    patched,
    volume_with,
    with_file,
)

# What cannot be said of a partition that cannot be read.
ABOUT_THE_ESP = {
    *("esp", "boot-menu", "enrolment", "boot-loader-signature", "uki-signature", "uki-sections"),
    *("command-line", "pcr-signature", "record"),
}


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
def test_a_missing_file_fails_the_claims_about_it(path: str, also: set[str], checked: Checked) -> None:
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


def test_a_volume_without_any_name_is_a_finding(checked: Checked) -> None:
    def emptied(boot: TinyBoot) -> bytes:
        volume = TinyFat({}, boot.volume().serial)
        content = bytearray(volume.to_bytes())
        content[volume.offset("") : volume.offset("") + 32] = bytes(32)
        return bytes(content)

    assert claims(checked(emptied).failed) >= ABOUT_THE_ESP


def with_seed(boot: TinyBoot) -> None:
    boot.changed["loader/random-seed"] = bytes(range(32))


def test_random_numbers_of_a_machine_are_known_and_said_not_to_be_checked(checked: Checked, system: TinyDisk) -> None:
    state = Part(STATE, "0f6de5c8-3a2c-4f0c-8a56-2f3a1d0f7b11", "claudine-state", bytes(SECTOR))
    system.parts.append(state)
    evidence = checked(with_seed)
    assert not evidence.failed
    assert [span.size_bytes for span in evidence.unchecked] == [SECTOR, 32]
    failed = checked(with_file("loader/random-seed", bytes(33))).failed
    assert [finding.found for finding in failed] == ["33 bytes of random numbers in loader/random-seed"]


def test_an_image_brings_no_random_numbers(checked: Checked) -> None:
    """All machines would begin with the same ones."""
    failed = checked(with_seed).failed
    assert [(finding.claim, finding.found) for finding in failed] == [("esp", "a file loader/random-seed of 32 bytes")]


def marked_folder(boot: TinyBoot) -> bytes:
    """The folder EFI is the second entry in the root, behind the label; its long name stands before it."""
    volume = boot.volume()
    content = bytearray(volume.to_bytes())
    content[volume.offset("") + 2 * 32 + 11] = 0x30
    return bytes(content)


def later_hint(boot: TinyBoot) -> bytes:
    content = bytearray(boot.to_bytes())
    content[SECTOR + 492] += 1
    return bytes(content)


@pytest.mark.parametrize("change", [marked_folder, later_hint])
def test_traces_of_a_machine_in_an_image_that_was_never_started_fail(change: Change, checked: Checked) -> None:
    failed = checked(change).failed
    assert [finding.claim for finding in failed] == ["esp"]
    assert "written since the image was made" in failed[0].found
