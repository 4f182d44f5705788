"""The record of the build, and the files that it names, when they are not of this image."""

from pathlib import Path

import pytest

from builder.verify import verify
from builder.verify.layout import STATE
from tests.support.tiny_disk import Part, TinyDisk
from tests.support.tiny_fat import SECTOR
from tests.support.tiny_image import LABEL
from tests.unit.verify.changes import Checked, claims


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
    assert [finding.claim for finding in failed] == ["command-line", "record"]
    assert failed[0].found == "no record of what the profile says"
    assert failed[1].found.endswith("name its folder with --record")


def test_a_machines_own_state_is_no_difference_from_the_record(
    checked: Checked, system: TinyDisk, tmp_path: Path, certificate: Path
) -> None:
    checked()
    system.parts.append(Part(STATE, "0f6de5c8-3a2c-4f0c-8a56-2f3a1d0f7b11", "claudine-state", bytes(SECTOR)))
    image = tmp_path / f"{LABEL}.raw"
    image.write_bytes(system.to_bytes())
    assert claims(verify(image, [certificate]).failed) == {"image-file"}
