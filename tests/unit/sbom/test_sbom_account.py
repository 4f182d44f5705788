"""Who brought what: every file of an image is a package's, or is named."""

import hashlib

import pytest

from builder.sbom import Account
from builder.sbom.account import LooseFile, PackageAccount, Place, Share


def loose(account: Account) -> dict[str, LooseFile]:
    return {f"{file.place}:{file.path}": file for file in account.loose_files}


def package(account: Account, name: str) -> PackageAccount:
    (found,) = (one for one in account.packages if one.package.name == name)
    return found


ORIGINS = [
    ("root:/etc/group", "build", None),
    ("root:/etc/mtab", "build", None),
    ("root:/etc/hostname", "overlay:base", None),
    ("root:/usr/lib/systemd/system-preset/00-claudineos.preset", "profile", None),
    ("root:/etc/sh.conf", "changed", "shell"),
    ("root:/usr/lib/python3/__pycache__/os.cpython-314.pyc", "bytecode", "/usr/lib/python3/os.py"),
    ("root:/usr/share/common-licenses/GPL-2", "build", None),
    ("initrd:/init", "build", None),
    ("initrd:/usr/lib/claudine/init", "overlay:hardening", None),
    ("esp:/loader/loader.conf", "overlay:base", None),
]


@pytest.mark.parametrize(("name", "origin", "made_from"), ORIGINS)
def test_a_file_that_no_package_brought_is_named_with_its_origin(
    account: Account, name: str, origin: str, made_from: str | None
) -> None:
    file = loose(account)[name]
    assert (file.origin, file.made_from) == (origin, made_from)


def test_no_other_file_is_named(account: Account) -> None:
    assert sorted(loose(account)) == sorted(name for name, _, _ in ORIGINS)


def test_a_file_is_known_by_its_content_and_a_link_by_its_target(account: Account) -> None:
    files = loose(account)
    assert files["root:/etc/hostname"].sha256 == hashlib.sha256(b"claudine").hexdigest()
    assert files["root:/etc/hostname"].size_bytes == len(b"claudine")
    assert (files["root:/etc/mtab"].sha256, files["root:/etc/mtab"].target) == (None, "../proc/self/mounts")


def test_a_package_counts_what_is_left_of_it_in_each_file_system(account: Account) -> None:
    shell = package(account, "shell")
    # The manual page was taken out, the configuration was changed; the program and the copyright file are left.
    assert shell.shares[Place.ROOT].files == 2
    assert shell.shares[Place.INITRD] == Share(files=1, size_bytes=len(b"a shell"))
    assert shell.files == 3


def test_a_package_that_left_nothing_is_listed_all_the_same(account: Account) -> None:
    assert package(account, "pager").shares == {Place.INITRD: Share(0, 0)}


def test_the_initrds_kernel_modules_are_those_of_the_roots_package(account: Account) -> None:
    assert package(account, "kernel").shares[Place.INITRD].files == 1


def test_a_package_has_its_licence_and_the_place_of_its_text(account: Account) -> None:
    shell, pager = package(account, "shell"), package(account, "pager")
    assert (shell.licence, shell.licence_text) == ("GPL-2.0-or-later", "/usr/share/doc/shell/copyright")
    assert (pager.licence, pager.licence_text) == ("LicenseRef-Less", None), "the initrd has no documents"
    assert account.common_licences == ("/usr/share/common-licenses/GPL-2",)
