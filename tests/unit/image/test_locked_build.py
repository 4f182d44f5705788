"""`claudineos lock` and `claudineos build --locked`: the same packages, or none; with mirrors that nobody can trust."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.debian_package import package_bytes, pool_path
from tests.support.desk import PROFILE, Desk
from tests.support.web_server import PROXIES, WebServer

OLD, NEW = "1:1.0", "1:2.0"
NEWER_MIRROR = {"FAKE_MIRROR_VERSION": NEW}
PACKAGES = ("base", "shell", "linker")


@pytest.fixture
def locked(built: Desk) -> Desk:
    """A desk with the lock of what has been built."""
    shutil.copyfile(built.out / "claudineos_0.1.0.lock", built.lock)
    return built


@pytest.fixture
def mirror(locked: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """The mirror that the profile names, still with the packages of the lock."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        locked.environment.pop(name, None)
    with WebServer() as server:
        (locked.directory / "small.yaml").write_text(PROFILE.replace("http://127.0.0.1:1/debian", server.url))
        server.files = {f"/{pool_path(name, OLD)}": package_bytes(name, OLD) for name in PACKAGES}
        yield server


def archives(desk: Desk) -> Path:
    return desk.directory / "cache/claudineos/packages/cache/apt/archives"


def forget_packages(desk: Desk) -> None:
    shutil.rmtree(archives(desk))


def test_a_lock_is_written_beside_the_profile_and_is_what_the_build_left_beside_its_image(built: Desk) -> None:
    done = built.write_lock()
    assert (done.returncode, done.stdout) == (0, "small.lock\n"), done.stderr
    assert built.lock.read_text() == (built.out / "claudineos_0.1.0.lock").read_text()
    assert built.image_builds() == 1, "what is installed already is not installed for the lock"


def test_each_package_is_there_with_its_hash(locked: Desk) -> None:
    data = package_bytes("shell", OLD)
    line = f"shell {OLD} amd64 {len(data)} {hashlib.sha256(data).hexdigest()} {pool_path('shell', OLD)}\n"
    root, initrd = locked.lock.read_text().split("[root]\n")[1].split("[initrd]\n")
    assert line in root
    assert line not in initrd.split("[mkosi]")[0]


def test_a_lock_is_made_of_a_profile_that_was_never_built(desk: Desk) -> None:
    shutil.rmtree(desk.directory / "cache/claudineos/images")
    done = desk.write_lock("-o", "elsewhere.lock")
    assert (done.returncode, done.stdout) == (0, "elsewhere.lock\n"), done.stderr
    assert not desk.out.exists(), "no artifacts are made for it"
    assert desk.leftovers() == []


def test_a_lock_of_the_newest_is_only_made_when_asked_for(locked: Desk) -> None:
    locked.write_lock(**NEWER_MIRROR)
    assert NEW not in locked.lock.read_text()
    locked.write_lock("--refresh", **NEWER_MIRROR)
    assert NEW in locked.lock.read_text()


def test_a_locked_build_makes_the_same_image_when_the_mirror_has_moved_on(locked: Desk) -> None:
    before = (locked.out / "SHA256SUMS").read_text()
    shutil.rmtree(locked.out)
    done = locked.build("--locked", **NEWER_MIRROR)
    assert done.returncode == 0, done.stderr
    assert (locked.out / "SHA256SUMS").read_text() == before
    shutil.rmtree(locked.out)
    locked.build("--refresh", **NEWER_MIRROR)
    assert (locked.out / "SHA256SUMS").read_text() != before, "and without the lock, it is another one"


def test_no_source_but_the_locked_packages_is_given_to_mkosi(locked: Desk) -> None:
    locked.build("--locked")
    call = (locked.directory / "calls").read_text().splitlines()[-1]
    assert "--local-mirror file:///" in call
    assert "--sandbox-tree" not in call
    assert "--proxy-url" not in call
    (index,) = (locked.directory / "cache/claudineos/archives").glob("*/dists/forky/main/binary-amd64/Packages")
    names = [line for line in index.read_text().splitlines() if line.startswith("Package: ")]
    assert names == ["Package: base", "Package: shell"], "and none of the mirror's others"


def test_a_warm_cache_needs_no_network(locked: Desk) -> None:
    # The profile's mirror is a port on which nobody listens.
    assert locked.build("--locked").returncode == 0


def test_a_locked_build_is_not_taken_for_an_unlocked_one(locked: Desk) -> None:
    digests = []
    for options in ([], ["--locked"]):
        locked.build(*options)
        digests.append(json.loads((locked.out / "build.json").read_text())["inputs_digest"])
    assert digests[0] != digests[1]
    assert "Nothing changed" in locked.build("--locked").stderr


def test_other_tools_than_the_locked_ones_are_made_of_locked_packages(locked: Desk) -> None:
    shutil.rmtree(locked.directory / "cache/claudineos/tools")
    locked.build(**NEWER_MIRROR)
    calls = locked.tools_builds()
    done = locked.build("--locked", **NEWER_MIRROR)
    assert (done.returncode, locked.tools_builds()) == (0, calls + 1), done.stderr
    assert "--local-mirror" in (locked.directory / "calls").read_text().splitlines()[-2]


def test_the_tools_that_are_there_are_used_when_they_are_the_locked_ones(locked: Desk) -> None:
    before = locked.tools_builds()
    locked.build("--locked")
    assert locked.tools_builds() == before


def edit(old: str, new: str) -> Callable[[Desk], None]:
    def change(desk: Desk) -> None:
        text = desk.lock.read_text()
        assert old in text
        desk.lock.write_text(text.replace(old, new))

    return change


def another_profile(desk: Desk) -> None:
    path = desk.directory / "small.yaml"
    path.write_text(path.read_text() + "image: {source_date: 2026-10-01}\n")


def a_snapshot(desk: Desk) -> None:
    path = desk.directory / "small.yaml"
    path.write_text(path.read_text().replace("/debian\n", "/debian\n  snapshot: 20261101T000000Z\n"))


def another_model(desk: Desk) -> None:
    path = desk.directory / "models/tiny.yaml"
    path.write_text(path.read_text().replace('version: "3"', 'version: "4"'))


REFUSED: list[tuple[Callable[[Desk], None], tuple[str, ...]]] = [
    (another_profile, ("source date", "2026-11-01", "2026-10-01")),
    (a_snapshot, ("snapshot", "none", "20261101T000000Z")),
    (another_model, ("model", "tiny 3", "tiny 4")),
    (edit("profile small", "profile large"), ("profile", "large", "small")),
    (edit("mkosi 27.9", "mkosi 28.1"), ("mkosi", "28.1", "27.9")),
]


@pytest.mark.parametrize(("change", "told"), REFUSED)
def test_what_is_not_as_it_was_locked_is_told_before_anything_is_built(
    locked: Desk, change: Callable[[Desk], None], told: tuple[str, ...]
) -> None:
    change(locked)
    done = locked.build("--locked")
    assert (done.returncode, done.stdout) == (2, "")
    for word in told:
        assert word in done.stderr
    assert locked.image_builds() == 1
    assert "Traceback" not in done.stderr


def test_an_image_of_other_packages_is_not_kept(locked: Desk) -> None:
    before = (locked.out / "SHA256SUMS").read_text()
    done = locked.build("--locked", FAKE_MKOSI="forget a package")
    assert done.returncode == 2
    assert f"root: shell  {OLD} amd64  -" in done.stderr
    assert (locked.out / "SHA256SUMS").read_text() == before
    assert locked.leftovers() == []


def test_missing_packages_are_fetched_from_the_pool(locked: Desk, mirror: WebServer) -> None:
    forget_packages(locked)
    done = locked.build("--locked")
    assert done.returncode == 0, done.stderr
    assert {path for path, _ in mirror.requests} == {f"/{pool_path(name, OLD)}" for name in ("base", "shell")}


def test_packages_that_the_mirror_has_dropped_are_listed(locked: Desk, mirror: WebServer) -> None:
    forget_packages(locked)
    del mirror.files[f"/{pool_path('shell', OLD)}"]
    done = locked.build("--locked")
    assert done.returncode == 2
    assert f"they are not in the cache:\n  shell {OLD} amd64\n" in done.stderr
    assert "snapshot" in done.stderr


def test_a_package_that_the_mirror_has_changed_is_refused(locked: Desk, mirror: WebServer) -> None:
    forget_packages(locked)
    path = f"/{pool_path('shell', OLD)}"
    mirror.files[path] = package_bytes("shell", OLD).replace(b"nothing", b"malware")
    done = locked.build("--locked")
    assert done.returncode == 2
    assert f"{path} has the SHA-256" in done.stderr
    assert locked.image_builds() == 1


def test_a_package_that_was_changed_in_the_cache_is_not_used(locked: Desk, mirror: WebServer) -> None:
    cached = archives(locked) / f"shell_{OLD.replace(':', '%3a')}_amd64.deb"
    cached.write_bytes(cached.read_bytes().replace(b"nothing", b"malware"))
    done = locked.build("--locked")
    assert done.returncode == 0, done.stderr
    assert [path for path, _ in mirror.requests] == [f"/{pool_path('shell', OLD)}"]


def test_a_package_that_was_changed_in_the_local_archive_is_not_used(locked: Desk) -> None:
    locked.build("--locked")
    (changed,) = (locked.directory / "cache/claudineos/archives").glob(f"*/{pool_path('shell', OLD)}")
    changed.unlink()
    changed.write_bytes(package_bytes("shell", OLD).replace(b"nothing", b"malware"))
    shutil.rmtree(locked.out)
    assert locked.build("--locked").returncode == 0
    assert changed.read_bytes() == package_bytes("shell", OLD)


def test_a_live_mirror_in_place_of_a_snapshot_is_refused(built: Desk) -> None:
    a_snapshot(built)
    done = built.build(FAKE_MIRROR_ADDRESS="http://mirror.example/debian")
    assert done.returncode == 2
    assert "packages came from elsewhere than 20261101T000000Z: mirror.example_debian" in done.stderr


def test_a_snapshot_does_not_use_what_a_live_mirror_has_installed(built: Desk) -> None:
    a_snapshot(built)
    done = built.build()
    assert done.returncode == 0, done.stderr
    snapshot = built.directory / "cache/claudineos/images/20261101T000000Z"
    assert [path.name for path in snapshot.glob("*~main~*.cache/lib/apt/lists/*")] == [
        "127.0.0.1:1_debian_archive_debian_20261101T000000Z_dists_forky_main_binary-amd64_Packages"
    ]
    assert "snapshot 20261101T000000Z\n" in (built.out / "claudineos_0.1.0.lock").read_text()


def test_a_locked_build_without_a_lock_says_how_to_write_one(built: Desk) -> None:
    done = built.build("--locked")
    assert done.returncode == 2
    assert "there is no lock" in done.stderr
    assert "claudineos lock" in done.stderr


def test_a_lock_and_newer_packages_exclude_each_other(locked: Desk) -> None:
    done = locked.build("--locked", "--refresh")
    assert done.returncode == 2
    assert "--refresh" in done.stderr
