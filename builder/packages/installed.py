"""What is installed in a tree of packages: dpkg's own list of it, completed from the indices that apt installed from.

mkosi keeps, beside the tree of installed packages, the indices that were newest when it made the tree. apt took them
only with Debian's signature, so a hash from there is Debian's word for what the package has to be.
"""

import mmap
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.errors import ToolError
from builder.packages.package import Package, fields, parse_stanza

_HINT = "Run `claudineos build --refresh`"
_PACKAGE = re.compile(rb"^Package: (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class PackageTrees:
    """Where mkosi keeps the trees of one image: in its cache `directory`, by release, architecture and CacheKey=."""

    directory: Path
    release: str
    architecture: str
    key: str

    @property
    def root(self) -> Path:
        """The root's packages, before anything of ours is laid over them."""
        return self._named("main", "cache")

    @property
    def initrd(self) -> Path:
        """The initrd's packages."""
        return self._named("default-initrd", "cache")

    @property
    def lists(self) -> Path:
        """The indices that both were installed from (apt's lists)."""
        return self._named("main", "metadata.cache") / "lib/apt/lists"

    def _named(self, image: str, suffix: str) -> Path:
        return self.directory / f"debian~{self.release}~{self.architecture}~{image}~{self.key}.{suffix}"


@dataclass(frozen=True)
class Installed:
    """The packages of an image's two file systems, sorted by name. Some are in both."""

    root: tuple[Package, ...]
    initrd: tuple[Package, ...]

    @property
    def all(self) -> tuple[Package, ...]:
        """Each package once."""
        return tuple(sorted({*self.root, *self.initrd}))


def installed_packages(trees: PackageTrees) -> Installed:
    """Return the packages of an image that mkosi has built.

    Raises ToolError when the trees are not there, or hold a package that no index has.
    """
    root, initrd = _names(trees.root), _names(trees.initrd)
    known = _index(trees.lists, root | initrd)
    return Installed(_resolve(root, known, trees.root), _resolve(initrd, known, trees.initrd))


def packages_of(tree: Path, lists: Path) -> tuple[Package, ...]:
    """Return the packages of one tree, sorted by name; `lists` is where apt kept the indices. Raises ToolError."""
    names = _names(tree)
    return _resolve(names, _index(lists, names), tree)


_Identity = tuple[str, str, str]


def _names(tree: Path) -> set[_Identity]:
    """Read dpkg's status file (/var/lib/dpkg/status): name, version and architecture of what is installed."""
    try:
        stanzas = (tree / "var/lib/dpkg/status").read_text().split("\n\n")
    except OSError as error:
        raise ToolError(f"{tree} has no list of its packages: {error.strerror}", hint=_HINT) from error
    parsed = (fields(stanza) for stanza in stanzas if stanza.strip())
    return {
        (one["Package"], one["Version"], one["Architecture"])
        for one in parsed
        if one.get("Status", "").endswith(" installed")
    }


def _resolve(names: Collection[_Identity], known: dict[_Identity, Package], tree: Path) -> tuple[Package, ...]:
    missing = sorted(name for name in names if name not in known)
    if missing:
        listed = ", ".join(f"{name} {version}" for name, version, _ in missing[:5])
        raise ToolError(f"no package index says where {listed} in {tree} came from", hint=_HINT)
    return tuple(sorted(known[name] for name in names))


def _index(lists: Path, wanted: Collection[_Identity]) -> dict[_Identity, Package]:
    """Look packages up in all indices of a directory."""
    names = {name for name, _, _ in wanted}
    return {
        package.identity: package
        for index in sorted(lists.glob("*_Packages"))
        for package in _entries(index, names)
        if package.identity in wanted
    }


def _entries(index: Path, names: Collection[str]) -> Iterator[Package]:
    """Parse those entries of an index that have one of the names: an index has sixty megabytes, and we want little."""
    encoded = {name.encode() for name in names}
    if index.stat().st_size == 0:
        return
    with index.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        for found in _PACKAGE.finditer(text):
            if found[1] in encoded:
                end = text.find(b"\n\n", found.start())
                stanza = text[found.start() : end if end >= 0 else len(text)]
                try:
                    yield parse_stanza(stanza.decode())
                except (KeyError, ValueError) as error:
                    raise ToolError(f"{index} has a malformed entry for {found[1].decode()}: {error}") from error
