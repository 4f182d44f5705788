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

MINIMUM_VERSION = 27


@dataclass(frozen=True)
class Mkosi:
    """A program that answers to mkosi's command line, and its version."""

    program: tuple[str, ...]
    version: str

    def command(self, *arguments: str) -> list[str]:
        """Return the argument list that runs mkosi."""
        return [*self.program, *arguments]


def find_mkosi(cache: Path, archive: Archive) -> Mkosi:
    """Return mkosi from PATH, from the cache, or freshly fetched."""
    on_path = shutil.which("mkosi")
    if on_path and (version := _version((on_path,))) and int(version.split(".")[0]) >= MINIMUM_VERSION:
        return Mkosi((on_path,), version)
    directory = cache / "mkosi"
    program = _program(directory)
    version = _version(program)
    if version is None:
        with log.step(f"Fetching mkosi (Debian {TOOLS_RELEASE})"):
            _unpack_package(directory, cache, archive)
        version = _version(program)
    if version is None or int(version.split(".")[0]) < MINIMUM_VERSION:
        raise ToolError(
            f"mkosi {MINIMUM_VERSION} or newer is needed to build images; Debian {TOOLS_RELEASE} has {version}",
            hint="Install a newer mkosi and put it on PATH",
        )
    return Mkosi(program, version)


def _program(directory: Path) -> tuple[str, ...]:
    modules = directory / "usr/lib/python3/dist-packages"
    return ("env", f"PYTHONPATH={modules}", sys.executable, "-m", "mkosi")


def _version(program: tuple[str, ...]) -> str | None:
    """Ask for the version; a damaged copy in the cache gives none."""
    done = run([*program, "--version"], check=False)
    found = re.match(r"mkosi (\d[\d.]*)", done.stdout)
    return found.group(1) if found else None


def _unpack_package(directory: Path, cache: Path, archive: Archive) -> None:
    """Fetch Debian's mkosi with a private apt, so that the host's package lists stay as they are."""
    tool("dpkg-deb", purpose="to unpack mkosi", hint="Install the package dpkg")
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
        run(["dpkg-deb", "--extract", str(package), str(Path(scratch) / "root")])
        shutil.rmtree(directory, ignore_errors=True)
        (Path(scratch) / "root").rename(directory)
