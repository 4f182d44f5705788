"""A Debian archive of exactly the packages that were chosen: a directory that mkosi takes as its only source.

The directory has the layout of a mirror, with one release and one component. Its index is not signed. It need not be:
each file in it is compared with a hash that came from Debian's signed index.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from builder.packages.obtain import is_package, obtain_packages
from builder.packages.package import PackageFile
from builder.run import run, tool
from builder.toolchain import Archive

# In an index, these fields follow what the package says of itself.
_INDEX_FIELDS = "Filename: {0.filename}\nSize: {0.size_bytes}\nSHA256: {0.sha256}\n"


@dataclass(frozen=True)
class ChosenArchive:
    """The packages as a `PackageSource`. They come from the cache, or else from `origin`, when mkosi needs them."""

    packages: tuple[PackageFile, ...]
    release: str
    origin: Archive
    cache: Path

    @cached_property
    def name(self) -> str:
        """The same for the same packages."""
        listed = "".join(f"{package.sha256}  {package.filename}\n" for package in sorted(self.packages))
        return f"locked-{hashlib.sha256(f'{self.release} {listed}'.encode()).hexdigest()[:16]}"

    def arguments(self, sandbox: Path, release: str, components: Sequence[str] = ()) -> list[str]:
        """Return mkosi's arguments, after each package was read and compared; raises what `obtain_packages` raises.

        The packages of all components are in the archive's one.
        """
        directory = self.cache / "archives" / self.name
        if not all(is_package(directory / package.filename, package) for package in self.packages):
            self._lay(directory)
        return ["--local-mirror", f"file://{directory}"]

    def _lay(self, directory: Path) -> None:
        files = obtain_packages(self.packages, self.origin, self.cache)
        directory.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix="new-") as scratch:
            made = Path(scratch) / self.name
            index = made / f"dists/{self.release}/main/binary-amd64/Packages"
            index.parent.mkdir(parents=True)
            with ThreadPoolExecutor() as readers:
                index.write_text("\n".join(readers.map(describe, files.keys(), files.values())))
            for package, path in files.items():
                _link(path, made / package.filename)
            shutil.rmtree(directory, ignore_errors=True)
            made.rename(directory)


def describe(package: PackageFile, path: Path) -> str:
    """Return a package's entry in an index."""
    tool("dpkg-deb", purpose="to read what a package says of itself", hint="Install the package dpkg")
    control = run(["dpkg-deb", "--field", str(path)]).stdout
    return control.rstrip("\n") + "\n" + _INDEX_FIELDS.format(package)


def _link(path: Path, target: Path) -> None:
    """Where the file system allows it, a link, which takes no room."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, target)
