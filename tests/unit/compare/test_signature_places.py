"""Without the owner's keys all is compared but what only they can make, and no byte more is left out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from builder.compare.builds import Builds, compare_builds
from builder.compare.signatures import Unsigned, disk_signatures
from builder.compare.source import Memory
from builder.verify.layout import ESP
from tests.support.erofs_tree import file
from tests.support.model_image import Owner
from tests.support.tiny_image import LABEL
from tests.unit.compare.conftest import TinyBuild

NAMES = (f"{LABEL}.raw", f"{LABEL}.efi", f"{LABEL}.manifest", f"{LABEL}.cdx.json")


@pytest.fixture(scope="session")
def stranger() -> Owner:
    """Somebody whose signatures have the same length, with another key."""
    return Owner("Ada")


def rebuilt(owner: Owner, stranger: Owner, change: Callable[[TinyBuild], None] = lambda build: None) -> TinyBuild:
    """The same build, signed by somebody else; what it shows of the owner is the owner's."""
    build = TinyBuild(stranger)
    build.boot.kernel.changed[".pcrpkey"] = TinyBuild(owner).boot.kernel.sections()[".pcrpkey"]
    shown = TinyBuild(owner).boot.files()
    build.boot.changed |= {path: content for path, content in shown.items() if path.endswith(".auth")}
    change(build)
    return build


def differing(builds: Builds) -> list[str]:
    return [part.name for part in builds.parts if part.differences]


def test_another_owner_of_the_same_image_differs_only_in_signatures(
    owner: Owner, stranger: Owner, original: Path, tmp_path: Path
) -> None:
    again = rebuilt(owner, stranger).write(tmp_path / "again")
    unsigned = compare_builds(original, again, NAMES, signatures=False)
    assert [one for part in unsigned.parts for one in part.differences] == []
    assert {place.what.rpartition(" ")[2] for place in unsigned.left_out} == {
        *("checksum", "signature", "sig", "pkfp", "pol", "certificateFingerprint")
    }
    whole = compare_builds(original, again, NAMES, signatures=True)
    assert differing(whole) == ["ESP", "root-verity-sig", "model", f"{LABEL}.efi"]
    assert whole.left_out == ()


def test_the_same_keys_give_the_same_bytes(owner: Owner, original: Path, tmp_path: Path) -> None:
    again = TinyBuild(owner).write(tmp_path / "again")
    assert compare_builds(original, again, NAMES, signatures=True).same


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda build: build.files.update({"/etc/hostname": file(b"x")}), ["root", "root-verity"]),
        (lambda build: build.boot.kernel.changed.update({".pcrpkey": b"another key"}), ["ESP", f"{LABEL}.efi"]),
        (lambda build: build.boot.changed.update({"loader/keys/auto/db.auth": b"another"}), ["ESP"]),
        (lambda build: build.packages.update({"dash": "0.5.14-1"}), [f"{LABEL}.manifest"]),
        (lambda build: setattr(build.disk.part(ESP), "label", "mine"), ["ESP", "outside the partitions"]),
    ],
)
def test_what_is_no_signature_is_compared_without_keys_too(
    owner: Owner,
    stranger: Owner,
    original: Path,
    tmp_path: Path,
    change: Callable[[TinyBuild], None],
    parts: list[str],
) -> None:
    again = rebuilt(owner, stranger, change).write(tmp_path / "again")
    found = differing(compare_builds(original, again, NAMES, signatures=False))
    assert set(parts) <= set(found)


def test_a_signature_with_more_in_it_than_the_rebuilt_one_is_not_left_out(
    stranger: Owner, owner: Owner, original: Path, tmp_path: Path
) -> None:
    again = rebuilt(owner, Owner("Somebody with a longer name")).write(tmp_path / "again")
    found = compare_builds(original, again, NAMES, signatures=False)
    assert "root-verity-sig" in differing(found)


def test_a_file_that_only_one_build_has_is_named(owner: Owner, original: Path, tmp_path: Path) -> None:
    again = TinyBuild(owner).write(tmp_path / "again")
    (again / "absence.json").write_text("{}")
    found = compare_builds(original, again, (*NAMES, "absence.json"), signatures=True)
    assert differing(found) == ["absence.json"]


def test_places_are_read_as_zeros_and_their_neighbours_as_they_are(original: Path) -> None:
    disk = Memory((original / f"{LABEL}.raw").read_bytes())
    places = tuple(disk_signatures(disk))
    unsigned = Unsigned(disk, places)
    for place in places:
        around = disk.read(place.offset_bytes - 1, place.size_bytes + 2)
        assert unsigned.read(place.offset_bytes - 1, place.size_bytes + 2) == (
            around[:1] + bytes(place.size_bytes) + around[-1:]
        )
