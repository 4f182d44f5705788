"""Where packages come from, on a host whose apt is a stand-in."""

from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.toolchain import Archive

TARGETS = """\
Debian Debian-Security http://mirror.example/debian-security
Example Tools http://tools.example/apt
Debian Debian http://mirror.example/debian/
Debian Debian http://second.example/debian/
"""


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is all there is on PATH; `targets` in it is what apt knows."""
    (tmp_path / "targets").write_text(TARGETS)
    program = tmp_path / "apt-get"
    program.write_text(f'#!/bin/sh\nwhile read -r line; do echo "$line"; done < {tmp_path}/targets\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_the_hosts_own_mirror_is_used(apt: Path) -> None:
    assert apt.is_dir()
    assert Archive().url == "http://mirror.example/debian"
    assert "URIs: http://mirror.example/debian\nSuites: forky\n" in Archive().sources("forky")


def test_a_profile_may_name_another(apt: Path) -> None:
    (apt / "targets").write_text("")
    assert Archive(mirror="http://other.example/debian/").url == "http://other.example/debian"


def test_a_snapshot_is_taken_from_the_named_archive() -> None:
    archive = Archive(mirror="http://snapshots.example", snapshot="20261101T000000Z")
    assert archive.url == "http://snapshots.example/archive/debian/20261101T000000Z"


def test_other_components_are_only_asked_for_by_name() -> None:
    archive = Archive(mirror="http://other.example/debian")
    assert "Components: main\n" in archive.sources("forky")
    assert "Components: main non-free-firmware\n" in archive.sources("forky", ["non-free-firmware"])


def test_package_lists_are_always_checked_against_debians_keys() -> None:
    sources = Archive(mirror="http://other.example/debian").sources("forky")
    assert "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n" in sources


def test_a_host_without_a_mirror_is_told_what_to_do(apt: Path) -> None:
    (apt / "targets").write_text("Example Tools http://tools.example/apt\n")
    with pytest.raises(ToolError, match="apt-get update"):
        _ = Archive().url


def test_a_host_without_apt_is_told_what_to_do(apt: Path) -> None:
    (apt / "apt-get").unlink()
    with pytest.raises(ToolError, match="Build on Debian 12 or 13"):
        _ = Archive().url
