"""What a lock says, and how it is written.

    schema 1
    profile qemu
    release forky
    snapshot none
    source-date 2026-11-01
    model smollm2-135m 1 98362432 b179c952…
    mkosi 27.1

    [root]
    apt 3.3.3 amd64 1234567 0f3c… pool/main/a/apt/apt_3.3.3_amd64.deb

A package is its name, version, architecture, size in bytes, SHA-256, and path below an archive's address.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from builder.packages import Installed, Package, PackageFile, packages_of, parse_stanza
from builder.profile import ResolvedProfile
from builder.toolchain import Toolchain, ToolsTree

SCHEMA = "1"
NO_SNAPSHOT = "none"
# The parts that list packages, in the order in which they are written.
SECTIONS = ("root", "initrd", "mkosi", "tools")

_TITLE = """\
# What images of the profile {profile} are made of. `claudineos lock {profile}` writes this file, and
# `claudineos build {profile} --locked` keeps to it. Hashes are SHA-256, sizes are in bytes.
"""


@dataclass(frozen=True)
class LockedProfile:
    """What the profile decides. `model` is its name, version, size in bytes and SHA-256, of the weights."""

    profile: str
    release: str
    snapshot: str
    source_date: str
    model: str

    @classmethod
    def of(cls, resolved: ResolvedProfile) -> "LockedProfile":
        """Take it out of a profile."""
        profile, model = resolved.profile, resolved.model.model
        return cls(
            profile=profile.name,
            release=profile.distribution.release,
            snapshot=profile.distribution.snapshot or NO_SNAPSHOT,
            source_date=profile.image.source_date.isoformat(),
            model=f"{model.name} {model.version} {model.weights.size_bytes} {model.weights.sha256}",
        )


@dataclass(frozen=True)
class Lock:
    """All that an image is made of, but for the profile's other settings, the overlays and the keys.

    `root`, `initrd` and `tools` are the packages of the image's file systems, and of the tree of tools that made it.
    `mkosi` has Debian's package of it, or nothing when another one, of `mkosi_version`, was used.
    """

    subject: LockedProfile
    mkosi_version: str
    root: tuple[PackageFile, ...]
    initrd: tuple[PackageFile, ...]
    mkosi: tuple[PackageFile, ...]
    tools: tuple[PackageFile, ...]

    @property
    def image(self) -> tuple[PackageFile, ...]:
        """The packages that are installed into the image, each once."""
        return tuple(sorted({*self.root, *self.initrd}))

    @property
    def snapshot(self) -> str | None:
        """The state of the archive that the packages are from, if it was a pinned one."""
        return None if self.subject.snapshot == NO_SNAPSHOT else self.subject.snapshot

    @property
    def facts(self) -> dict[str, str]:
        """What stands before the packages."""
        return {
            **{key.replace("_", "-"): value for key, value in asdict(self.subject).items()},
            "mkosi": self.mkosi_version,
        }

    @cached_property
    def text(self) -> str:
        """The file."""
        title = _TITLE.format(profile=self.subject.profile)
        facts = "".join(f"{key} {value}\n" for key, value in {"schema": SCHEMA, **self.facts}.items())
        return title + facts + "".join(f"\n[{section}]\n{_lines(getattr(self, section))}" for section in SECTIONS)

    def write(self, path: Path) -> Path:
        """Write the file, as a whole or not at all, and return its path."""
        beside = path.with_name(f".{path.name}.new")
        try:
            beside.write_text(self.text)
            return beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def lock_of(resolved: ResolvedProfile, toolchain: Toolchain, installed: Installed) -> Lock:
    """Return the lock of what has been built."""
    stanza = toolchain.mkosi.stanza
    return Lock(
        subject=LockedProfile.of(resolved),
        mkosi_version=toolchain.mkosi.version,
        root=_files(installed.root),
        initrd=_files(installed.initrd),
        mkosi=_files([parse_stanza(stanza)] if stanza else []),
        tools=tools_packages(toolchain.tools),
    )


def tools_packages(tools: ToolsTree) -> tuple[PackageFile, ...]:
    """Return the packages of a tools tree."""
    return _files(packages_of(tools.path, tools.lists))


def _files(packages: Iterable[Package]) -> tuple[PackageFile, ...]:
    return tuple(sorted(package.file for package in packages))


def _lines(packages: Iterable[PackageFile]) -> str:
    return "".join(
        f"{one.name} {one.version} {one.architecture} {one.size_bytes} {one.sha256} {one.filename}\n"
        for one in packages
    )
