"""Trees of installed packages as mkosi keeps them: dpkg's database, copyright files, and the index beside them."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from builder.packages import PackageTrees

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: somebody
License: {licence}
 The text.
"""


@dataclass(frozen=True)
class FakePackage:
    """A package with its files, by their paths; `conffiles` have their sums in dpkg's status alone."""

    name: str
    files: dict[str, bytes] = field(default_factory=dict)
    conffiles: dict[str, bytes] = field(default_factory=dict)
    licence: str = "Expat"
    version: str = "1:2.0-1"
    source: str = ""

    @property
    def deb_sha256(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    def install(self, tree: Path) -> None:
        """Lay the files, and what dpkg keeps of them."""
        copyright_file = f"usr/share/doc/{self.name}/copyright"
        files = {copyright_file: COPYRIGHT.format(licence=self.licence).encode(), **self.files}
        for path, content in (files | self.conffiles).items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(content)
        info = tree / "var/lib/dpkg/info"
        info.mkdir(parents=True, exist_ok=True)
        (info / f"{self.name}.list").write_text("".join(f"/{path}\n" for path in ("usr", *files, *self.conffiles)))
        (info / f"{self.name}.md5sums").write_text("".join(f"{_md5(files[path])}  {path}\n" for path in files))
        with (tree / "var/lib/dpkg/status").open("a") as status:
            status.write(self._stanza("Status: install ok installed\n") + self._conffiles() + "\n")

    def index_entry(self) -> str:
        return self._stanza(
            f"Source: {self.source or self.name}\nFilename: pool/main/x/{self.name}.deb\nSize: 1000\n"
            f"SHA256: {self.deb_sha256}\n"
        )

    def _stanza(self, more: str) -> str:
        return f"Package: {self.name}\nArchitecture: amd64\nVersion: {self.version}\n{more}"

    def _conffiles(self) -> str:
        lines = "".join(f" /{path} {_md5(content)}\n" for path, content in self.conffiles.items())
        return f"Conffiles:\n{lines}Description: none\n" if lines else ""


def lay_package_trees(directory: Path, *, root: list[FakePackage], initrd: list[FakePackage]) -> PackageTrees:
    """Install packages into the trees of a root and an initrd."""
    trees = PackageTrees(directory, "forky", "x86-64", "key")
    for tree, packages in ((trees.root, root), (trees.initrd, initrd)):
        for package in packages:
            package.install(tree)
    trees.lists.mkdir(parents=True)
    index = trees.lists / "mirror_dists_forky_main_binary-amd64_Packages"
    index.write_text("\n".join(package.index_entry() for package in {one.name: one for one in root + initrd}.values()))
    return trees


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
