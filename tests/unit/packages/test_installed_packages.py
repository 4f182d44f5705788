"""The packages of an image: dpkg's list of the trees that mkosi keeps, with hashes from the indices beside them."""

from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.packages import PackageTrees, installed_packages

STATUS = """\
Package: {name}
Status: {status}
Architecture: amd64
Version: {version}
Description: one line
 Package: not-a-field
"""
ENTRY = """\
Package: {name}
Source: {source}
Version: {version}
Architecture: amd64
Filename: pool/{component}/t/tool/{name}_{version}_amd64.deb
Size: 1234
SHA256: {sha256}
Description: one line
"""
OLD, NEW = "aa" * 32, "bb" * 32


def entry(name: str, version: str, sha256: str = NEW, source: str = "tool", component: str = "main") -> str:
    return ENTRY.format(name=name, version=version, sha256=sha256, source=source, component=component)


def status(name: str, version: str = "2", state: str = "install ok installed") -> str:
    return STATUS.format(name=name, version=version, status=state)


def lay_trees(directory: Path, *, root: list[str], initrd: list[str], indices: dict[str, list[str]]) -> PackageTrees:
    trees = PackageTrees(directory, "forky", "x86-64", "key")
    for tree, stanzas in ((trees.root, root), (trees.initrd, initrd)):
        (tree / "var/lib/dpkg").mkdir(parents=True)
        (tree / "var/lib/dpkg/status").write_text("\n".join(stanzas))
    trees.lists.mkdir(parents=True)
    for name, entries in indices.items():
        (trees.lists / f"mirror_dists_forky_{name}_binary-amd64_Packages").write_text("\n".join(entries))
    return trees


def test_root_and_initrd_are_told_apart_and_sorted(tmp_path: Path) -> None:
    main = [entry("zlib", "2"), entry("apt", "2"), entry("other", "2")]
    trees = lay_trees(tmp_path, root=[status("zlib"), status("apt")], initrd=[status("apt")], indices={"main": main})
    found = installed_packages(trees)
    assert [package.name for package in found.root] == ["apt", "zlib"]
    assert [package.name for package in found.initrd] == ["apt"]
    assert found.all == found.root


def test_the_hash_is_that_of_the_installed_version(tmp_path: Path) -> None:
    main = [entry("apt", "1", OLD), entry("apt", "2", NEW)]
    trees = lay_trees(tmp_path, root=[status("apt", "1")], initrd=[], indices={"main": main})
    (package,) = installed_packages(trees).root
    assert (package.version, package.sha256, package.size_bytes) == ("1", OLD, 1234)


SOURCES = [("tool", "tool", "2+b1"), ("tool (2)", "tool", "2")]


@pytest.mark.parametrize(("source", "name", "version"), SOURCES)
def test_a_source_of_another_version_is_known(tmp_path: Path, source: str, name: str, version: str) -> None:
    trees = lay_trees(
        tmp_path, root=[status("apt", "2+b1")], initrd=[], indices={"main": [entry("apt", "2+b1", source=source)]}
    )
    (package,) = installed_packages(trees).root
    assert (package.source, package.source_version) == (name, version)


def test_all_components_of_the_archive_are_looked_through(tmp_path: Path) -> None:
    indices = {"main": [entry("apt", "2")], "non-free-firmware": [entry("radio", "2", component="non-free-firmware")]}
    trees = lay_trees(tmp_path, root=[status("radio")], initrd=[], indices={**indices, "contrib": []})
    (package,) = installed_packages(trees).root
    assert package.component == "non-free-firmware"


def test_a_removed_package_is_not_installed(tmp_path: Path) -> None:
    removed = status("gone", state="deinstall ok config-files")
    trees = lay_trees(tmp_path, root=[removed, status("apt")], initrd=[], indices={"main": [entry("apt", "2")]})
    assert [package.name for package in installed_packages(trees).root] == ["apt"]


FOREIGN = [
    ([status("apt")], [entry("apt", "3")], "no package index says where apt 2"),
    ([status("apt")], [entry("apt", "2").replace("SHA256", "MD5sum")], "malformed entry for apt"),
    ([status("apt")], [entry("apt", "2").replace("1234", "many")], "malformed entry for apt"),
]


@pytest.mark.parametrize(("installed", "index", "message"), FOREIGN)
def test_a_package_that_no_index_vouches_for_is_refused(
    tmp_path: Path, installed: list[str], index: list[str], message: str
) -> None:
    trees = lay_trees(tmp_path, root=installed, initrd=[], indices={"main": index})
    with pytest.raises(ToolError, match=message):
        installed_packages(trees)


def test_an_image_that_was_never_built_has_no_packages(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="has no list of its packages"):
        installed_packages(PackageTrees(tmp_path, "forky", "x86-64", "key"))
