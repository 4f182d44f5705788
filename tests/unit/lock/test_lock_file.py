"""The lock as a file: what is written is read back, and every line that is wrong is told by its number."""

from dataclasses import replace
from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.lock import Lock, LockedProfile, load_lock, lock_differences, refuse_differences
from builder.packages import PackageFile

SHA256 = "ab" * 32


def package(name: str, version: str = "1.0", sha256: str = SHA256) -> PackageFile:
    return PackageFile(name, version, "amd64", sha256, 1000, f"pool/main/a/{name}/{name}_{version}_amd64.deb")


LOCK = Lock(
    subject=LockedProfile("small", "forky", "none", "2026-11-01", f"tiny 3 5 {SHA256}"),
    mkosi_version="27.1",
    root=(package("apt"), package("libstdc++6", "15.2.0-4+b1")),
    initrd=(package("apt"),),
    mkosi=(package("mkosi", "27.1-1"),),
    tools=(package("qemu-utils", "1~rc1"), package("sbsigntool", "1")),
)
LINES = LOCK.text.splitlines()


def test_a_lock_is_text_with_one_package_a_line() -> None:
    assert LINES[2:10] == [
        "schema 1",
        "profile small",
        "release forky",
        "snapshot none",
        "source-date 2026-11-01",
        f"model tiny 3 5 {SHA256}",
        "mkosi 27.1",
        "",
    ]
    assert LINES[10:12] == ["[root]", f"apt 1.0 amd64 1000 {SHA256} pool/main/a/apt/apt_1.0_amd64.deb"]


@pytest.mark.parametrize("lock", [LOCK, replace(LOCK, mkosi=(), initrd=())])
def test_what_is_written_is_read_back(tmp_path: Path, lock: Lock) -> None:
    assert load_lock(lock.write(tmp_path / "small.lock")) == lock
    assert [path.name for path in tmp_path.iterdir()] == ["small.lock"]


APT = LINES[11]
BAD = [
    ("schema 1", "schema 2", 3, "'2' is no value for schema"),
    ("\nprofile small", "\nprofil small", 4, "'profil' is none of schema, profile"),
    ("release forky", "profile small", 5, "profile is there twice"),
    ("snapshot none", "snapshot yesterday", 6, "'yesterday' is no value for snapshot"),
    ("source-date 2026-11-01\n", "", 22, "the lock ends without source-date"),
    ("[tools]", "[tool]", 21, "[tool] is none of [root], [initrd], [mkosi], [tools]"),
    ("[initrd]", "[root]", 15, "[root] is there twice"),
    ("[root]\n", "", 11, "'apt' is none of schema, profile"),
    (f"{APT}\n", f"{APT}\n{APT}\n", 13, "apt does not come after apt"),
    (APT, APT.replace("apt", "zsh"), 13, "libstdc++6 does not come after zsh"),
    (APT, f"<<<<<<< ours\n{APT}", 12, "this is not a package"),
    (APT, APT.replace("1000", "-1"), 12, "this is not a package"),
    (APT, APT.replace(SHA256, SHA256[1:]), 12, "this is not a package"),
    (APT, APT.replace("pool/main", "/pool/main"), 12, "this is not a package"),
    (APT, APT.replace("main/a", "main/../../a"), 12, "this is not a package"),
    (APT, APT.replace("pool/main/a/apt/", "pool/"), 12, "this is not a package"),
    (APT, f"{APT} more", 12, "this is not a package"),
    (APT, f"apt 1.0 amd64 1000 {SHA256} pool/main/a/apt/x.deb\u2028y.deb", 12, "this is not a package"),
]


@pytest.mark.parametrize(("old", "new", "line", "message"), BAD)
def test_a_wrong_line_is_told_by_its_number(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    path = tmp_path / "small.lock"
    assert old in LOCK.text
    path.write_text(LOCK.text.replace(old, new, 1))
    with pytest.raises(BuilderError) as refused:
        load_lock(path)
    assert str(refused.value.location) == f"{path}:{line}"
    assert refused.value.message.startswith(message)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "image.lock").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BuilderError, match="is not a lock"):
        load_lock(tmp_path / "image.lock")


def test_differences_are_a_table() -> None:
    newer = replace(
        LOCK,
        subject=replace(LOCK.subject, snapshot="20261101T000000Z"),
        root=(package("apt", "2.0"), package("zlib1g")),
        initrd=(package("apt", sha256="cd" * 32),),
    )
    with pytest.raises(BuilderError) as refused:
        refuse_differences(lock_differences(LOCK, newer))
    assert refused.value.message.splitlines()[1:] == [
        "                    locked             found",
        "  snapshot          none               20261101T000000Z",
        "  root: apt         1.0 amd64          2.0 amd64",
        "  root: libstdc++6  15.2.0-4+b1 amd64  -",
        "  root: zlib1g      -                  1.0 amd64",
        "  initrd: apt       abababababababab   cdcdcdcdcdcdcdcd",
    ]


def test_no_difference_is_no_error() -> None:
    refuse_differences(lock_differences(LOCK, LOCK))
