"""What a lock says and what was found instead."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from builder.errors import BuilderError
from builder.lock.lock import SECTIONS, Lock, LockedProfile
from builder.packages import PackageFile

_NOTHING = "-"


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was locked; `locked` or `found` is a dash when it is only in one of the two."""

    what: str
    locked: str
    found: str


def subject_differences(locked: LockedProfile, found: LockedProfile) -> Iterator[Difference]:
    """Compare what the lock was written for with what a profile says now."""
    for name in LockedProfile.__dataclass_fields__:
        if (was := getattr(locked, name)) != (now := getattr(found, name)):
            yield Difference(name.replace("_", " "), was, now)


def lock_differences(locked: Lock, found: Lock) -> Iterator[Difference]:
    """Compare all that two locks say, in the order in which it is written."""
    yield from subject_differences(locked.subject, found.subject)
    if locked.mkosi_version != found.mkosi_version:
        yield Difference("mkosi", locked.mkosi_version, found.mkosi_version)
    for section in SECTIONS:
        yield from package_differences(section, getattr(locked, section), getattr(found, section))


def package_differences(
    section: str, locked: Iterable[PackageFile], found: Iterable[PackageFile]
) -> Iterator[Difference]:
    """Compare two lists of packages, by name."""
    was, now = ({package.name: package for package in packages} for packages in (locked, found))
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            yield Difference(f"{section}: {name}", *_told(was.get(name), now.get(name)))


def refuse_differences(differences: Iterable[Difference]) -> None:
    """Raise a BuilderError with a table of the differences, if there are any."""
    rows = [(one.what, one.locked, one.found) for one in differences]
    if not rows:
        return
    table = [("", "locked", "found"), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    listed = "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )
    raise BuilderError(
        f"this is not what the lock says:\n{listed}",
        hint="Build what was locked, or write the lock anew with `claudineos lock PROFILE`",
    )


def _told(*packages: PackageFile | None) -> Iterator[str]:
    """Show the versions; and where they are the same, the hashes."""
    same_version = len({package.identity[1:] for package in packages if package}) == 1 and all(packages)
    for package in packages:
        if package is None:
            yield _NOTHING
        else:
            yield package.sha256[:16] if same_version else f"{package.version} {package.architecture}"
