"""Reading a lock: every line is checked, and an error says which one is wrong.

Locks are compared and merged by people, so what a merge can leave behind is refused: a section or a package that is
there twice, lines out of order, marks of a conflict.
"""

import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from builder.errors import BuilderError, Location
from builder.lock.lock import SCHEMA, SECTIONS, Lock, LockedProfile
from builder.packages import PackageFile
from builder.profile import ResolvedProfile

_SECTION = re.compile(r"\[([a-z]+)\]")
_FACTS = {
    "schema": re.compile(re.escape(SCHEMA)),
    "profile": re.compile(r"[a-z0-9][a-z0-9-]*"),
    "release": re.compile(r"[a-z][a-z0-9-]*"),
    "snapshot": re.compile(r"none|[0-9]{8}T[0-9]{6}Z"),
    "source-date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "model": re.compile(r"\S+ \S+ [0-9]+ [0-9a-f]{64}"),
    "mkosi": re.compile(r"[0-9][0-9.]*"),
}
# Names and versions as Debian Policy has them (5.6.7, 5.6.12). No part of a path begins with a dot, so none leads out.
_PACKAGE = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9+.-]*) (?P<version>[A-Za-z0-9][A-Za-z0-9.+:~-]*) (?P<architecture>[a-z0-9-]+)"
    r" (?P<size>[1-9][0-9]*) (?P<sha256>[0-9a-f]{64})"
    r" (?P<filename>pool(/[A-Za-z0-9_][A-Za-z0-9._+~%:-]*){3,}\.deb)"
)


def lock_path(resolved: ResolvedProfile) -> Path:
    """Say where a profile's lock is: beside the profile."""
    return resolved.files[0].with_name(f"{resolved.profile.name}.lock")


def load_lock(path: Path) -> Lock:
    """Read a lock; raises BuilderError with the line that is wrong, or when there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BuilderError(f"there is no lock {path}", hint="Write it with `claudineos lock PROFILE`") from None
    except (OSError, ValueError) as error:
        raise BuilderError(f"{path} is not a lock: {error}", hint="Write it with `claudineos lock PROFILE`") from error
    return _Reader(path, text).lock()


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._facts: dict[str, str] = {}
        self._sections: dict[str, list[PackageFile]] = {}
        for number, line in enumerate(text.split("\n"), 1):
            if line and not line.startswith("#"):
                self._read(number, line)
        self._end = text.count("\n")

    def lock(self) -> Lock:
        for missing in (*(_FACTS.keys() - self._facts), *(f"[{one}]" for one in SECTIONS if one not in self._sections)):
            raise self._refuse(self._end, f"the lock ends without {missing}")
        subject = {field.name: self._facts[field.name.replace("_", "-")] for field in fields(LockedProfile)}
        sections = {name: tuple(packages) for name, packages in self._sections.items()}
        return Lock(LockedProfile(**subject), self._facts["mkosi"], **sections)

    def _read(self, number: int, line: str) -> None:
        if section := _SECTION.fullmatch(line):
            self._open(number, section[1])
        elif self._sections:
            self._package(number, line)
        else:
            self._fact(number, line)

    def _fact(self, number: int, line: str) -> None:
        key, _, value = line.partition(" ")
        if key not in _FACTS:
            raise self._refuse(number, f"{key!r} is none of {', '.join(_FACTS)}")
        if key in self._facts:
            raise self._refuse(number, f"{key} is there twice")
        if not _FACTS[key].fullmatch(value):
            raise self._refuse(number, f"{value!r} is no value for {key}")
        self._facts[key] = value

    def _open(self, number: int, section: str) -> None:
        if section not in SECTIONS:
            raise self._refuse(number, f"[{section}] is none of {_listed(SECTIONS)}")
        if section in self._sections:
            raise self._refuse(number, f"[{section}] is there twice")
        self._sections[section] = []

    def _package(self, number: int, line: str) -> None:
        found = _PACKAGE.fullmatch(line)
        if found is None:
            raise self._refuse(number, "this is not a package: NAME VERSION ARCHITECTURE SIZE SHA256 pool/…/FILE.deb")
        identity = found["name"], found["version"], found["architecture"]
        package = PackageFile(*identity, found["sha256"], int(found["size"]), found["filename"])
        packages = list(self._sections.values())[-1]
        if packages and packages[-1].name >= package.name:
            raise self._refuse(number, f"{package.name} does not come after {packages[-1].name}")
        packages.append(package)

    def _refuse(self, number: int, message: str) -> BuilderError:
        hint = "Take the file as it was committed, or write it anew with `claudineos lock PROFILE`"
        return BuilderError(message, hint=hint, location=Location(self._path, number))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}]" for name in names)
