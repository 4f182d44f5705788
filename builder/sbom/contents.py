"""The files of a file system, and which of them Debian's packages brought."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_DPKG = "var/lib/dpkg"


@dataclass(frozen=True)
class ImageFile:
    """A file or symbolic link: `path` begins with a slash; a link has a `target` and no content."""

    path: str
    content: bytes = field(repr=False)
    target: str | None = None


@dataclass(frozen=True)
class Ownership:
    """Which packages have a path, by the path, and the MD5 of each file's content as dpkg knows it."""

    owners: Mapping[str, tuple[str, ...]]
    md5: Mapping[str, str]

    def of(self, file: ImageFile) -> str | None:
        """Return the package that brought a file as it is, if one has. A link is known by its path alone."""
        owners = self.owners.get(file.path)
        if not owners or (file.target is None and self.md5.get(file.path) != _md5(file.content)):
            return None
        return owners[0]


def files_of(root: Path) -> Iterator[ImageFile]:
    """Give all files and links below `root`, sorted by their paths."""
    found: list[Path] = []
    for directory, subdirectories, names in os.walk(root):
        found += (Path(directory, name) for name in names)
        found += (link for name in subdirectories if (link := Path(directory, name)).is_symlink())
    for path in sorted(found):
        name = shown(b"/" + os.fsencode(path.relative_to(root)))
        if path.is_symlink():
            yield ImageFile(name, b"", shown(os.fsencode(path.readlink())))
        elif path.is_file():
            yield ImageFile(name, path.read_bytes())


def read_ownership(tree: Path) -> Ownership:
    """Read dpkg's database in a tree of installed packages (deb-md5sums(5), dpkg(1) "FILES")."""
    database = tree / _DPKG
    owners: dict[str, tuple[str, ...]] = {}
    md5: dict[str, str] = {}
    for listing in sorted((database / "info").glob("*.list")):
        package = listing.stem.partition(":")[0]
        for path in listing.read_text(errors="backslashreplace").splitlines():
            owners[path] = (*owners.get(path, ()), package)
        sums = listing.with_suffix(".md5sums")
        if sums.exists():
            entries = (line.split("  ", 1) for line in sums.read_text(errors="backslashreplace").splitlines())
            md5.update((f"/{path}", digest) for digest, path in entries)
    md5.update(_conffiles((database / "status").read_text(errors="backslashreplace")))
    return Ownership(owners, md5)


def _conffiles(status: str) -> Iterator[tuple[str, str]]:
    """Give the MD5 of the configuration files, which dpkg keeps in its status: lines that begin with a space."""
    in_conffiles = False
    for line in status.splitlines():
        if not line.startswith(" "):
            in_conffiles = line == "Conffiles:"
        elif in_conffiles:
            path, digest, *_ = line.split()
            yield path, digest


def shown(name: bytes) -> str:
    """Show bytes that are no UTF-8 as Python writes them: JSON holds text only."""
    return name.decode(errors="backslashreplace")


def _md5(content: bytes) -> str:
    """What dpkg compares with, which has no other digest; nothing trusts it."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
