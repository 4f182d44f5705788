"""mkosi: a new enough one from PATH, or else Debian's package of it, run from the cache.

mkosi is not on the Python package index and stable distributions ship old ones. Debian's package is pure Python for
all architectures, so it runs from the directory that it is unpacked into.
"""

import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from builder import log
from builder.errors import ToolError
from builder.run import run, tool
from builder.toolchain.apt import KEYRING, TOOLS_RELEASE, Archive
from builder.toolchain.cache import package_files

MINIMUM_VERSION = 27

# Beside what was unpacked: what Debian's signed index says of the package.
_STANZA = "package"


@dataclass(frozen=True)
class Mkosi:
    """A program that answers to mkosi's command line, and its version.

    `stanza` is what Debian's signed index says of the package that it is from; empty for a program from PATH.
    """

    program: tuple[str, ...]
    version: str
    stanza: str = ""

    def command(self, *arguments: str) -> list[str]:
        """Return the argument list that runs mkosi."""
        return [*self.program, *arguments]


def find_mkosi(cache: Path, archive: Archive) -> Mkosi:
    """Return mkosi from PATH, from the cache, or freshly fetched."""
    on_path = shutil.which("mkosi")
    if on_path and (version := _version((on_path,))) and _new_enough(version):
        return Mkosi((on_path,), version)
    directory = cache / f"mkosi-{archive.name or 'newest'}"
    mkosi = _kept(directory)
    if mkosi is None:
        with log.step(f"Fetching mkosi (Debian {TOOLS_RELEASE})"):
            _fetch(directory, cache, archive)
        mkosi = _kept(directory)
    if mkosi is None or not _new_enough(mkosi.version):
        raise ToolError(
            f"mkosi {MINIMUM_VERSION} or newer is needed to build images; Debian {TOOLS_RELEASE} has "
            f"{mkosi.version if mkosi else 'none that runs'}",
            hint="Install a newer mkosi and put it on PATH",
        )
    return mkosi


def unpack_mkosi(package: Path, stanza: str, directory: Path) -> Mkosi:
    """Return the mkosi of a package that was checked, unpacked into `directory` unless it is there."""
    if mkosi := _kept(directory):
        return mkosi
    _unpack(package, stanza, directory)
    mkosi = _kept(directory)
    if mkosi is None:
        raise ToolError(f"the mkosi of {package} does not run", hint="Is the host's Python new enough for it?")
    return mkosi


def _new_enough(version: str) -> bool:
    return int(version.split(".")[0]) >= MINIMUM_VERSION


def _kept(directory: Path) -> Mkosi | None:
    """Look at an unpacked mkosi; a damaged one, or one of unknown origin, is none."""
    stanza = directory / _STANZA
    program = _program(directory)
    version = _version(program)
    return Mkosi(program, version, stanza.read_text()) if version and stanza.is_file() else None


def _program(directory: Path) -> tuple[str, ...]:
    modules = directory / "usr/lib/python3/dist-packages"
    return ("env", f"PYTHONPATH={modules}", sys.executable, "-m", "mkosi")


def _version(program: tuple[str, ...]) -> str | None:
    """Ask for the version; a damaged copy in the cache gives none."""
    done = run([*program, "--version"], check=False)
    found = re.match(r"mkosi (\d[\d.]*)", done.stdout)
    return found.group(1) if found else None


def _fetch(directory: Path, cache: Path, archive: Archive) -> None:
    """Fetch Debian's mkosi with a private apt, so that the host's package lists stay as they are."""
    if not KEYRING.exists():
        raise ToolError(
            f"{KEYRING} is missing; apt checks the packages' signatures with it",
            hint="Run `apt-get install debian-archive-keyring` as root",
        )
    with tempfile.TemporaryDirectory(dir=cache, prefix="mkosi-") as scratch:
        apt = Path(scratch) / "apt"
        for needed in ("lists/partial", "archives/partial", "download"):
            (apt / needed).mkdir(parents=True)
        sources = apt / "debian.sources"
        sources.write_text(archive.sources(TOOLS_RELEASE))
        options = [
            *("-o", f"Dir::Etc::SourceList={sources}"),
            *("-o", "Dir::Etc::SourceParts=/dev/null"),
            *("-o", f"Dir::State={apt}"),
            *("-o", "Dir::State::Status=/dev/null"),
            *("-o", f"Dir::Cache={apt}"),
            # The directory is ours alone; apt's own user could not write into it.
            *("-o", "APT::Sandbox::User=root"),
        ]
        hint = "Check the network, and the mirror that `apt-get indextargets` shows"
        run(["apt-get", *options, "update", "--error-on=any"], hint=hint)
        run(["apt-get", *options, "download", "mkosi"], hint=hint, cwd=apt / "download")
        (package,) = (apt / "download").glob("mkosi_*.deb")
        stanza = run(["apt-cache", *options, "show", "--no-all-versions", "mkosi"]).stdout.strip() + "\n"
        _unpack(package, stanza, directory)
        # A build that is held to the same mkosi later finds it beside the other packages.
        kept = package_files(cache)
        kept.mkdir(parents=True, exist_ok=True)
        package.rename(kept / package.name)


def _unpack(package: Path, stanza: str, directory: Path) -> None:
    tool("dpkg-deb", purpose="to unpack mkosi", hint="Install the package dpkg")
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix="mkosi-") as scratch:
        root = Path(scratch) / "root"
        run(["dpkg-deb", "--extract", str(package), str(root)])
        (root / _STANZA).write_text(stanza)
        shutil.rmtree(directory, ignore_errors=True)
        root.rename(directory)
