"""Who brought what is in an image: each file belongs to a package, or stands alone with its origin.

A file counts as a package's only while its content is what dpkg installed. Whatever was changed since, laid over it or
made by a program at build time is named file by file.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from builder.packages import Installed, Package, PackageTrees
from builder.render import OVERLAYS_DIR, RenderPlan
from builder.render.mkosi import INITRD_TREE
from builder.sbom.contents import ImageFile, Ownership, files_of, read_ownership
from builder.sbom.licences import licence_expression

_ROOT_TREE = "mkosi.extra"
_EFI = "/efi"
_DOCUMENTS = "usr/share/doc"
_COMMON_LICENCES = "usr/share/common-licenses"


class Place(StrEnum):
    """A file system of the image. The model's is another matter: it holds the model."""

    ROOT = "root"
    INITRD = "initrd"
    ESP = "esp"


class Origin(StrEnum):
    """Where a file is from that no package brought as it is; an overlay's is `overlay:` and the overlay's name."""

    OVERLAY = "overlay:"
    RENDERED = "profile"
    BYTECODE = "bytecode"
    CHANGED = "changed"
    MADE = "build"


@dataclass(frozen=True)
class Contents:
    """The image's file systems, unpacked: `root` and `esp` are directories."""

    root: Path
    esp: Path
    initrd: tuple[ImageFile, ...]


@dataclass(frozen=True)
class Share:
    """What is left of a package in a file system, as it was installed; much of what packages bring is taken out."""

    files: int
    size_bytes: int


@dataclass(frozen=True)
class PackageAccount:
    """A package with its share of each file system that it was installed into, or has files in.

    `licence` is an SPDX expression; `licence_text` is the path of its copyright file in the root, None if it has none.
    """

    package: Package
    shares: Mapping[Place, Share]
    licence: str
    licence_text: str | None

    @property
    def files(self) -> int:
        """How many files of it are in the image."""
        return sum(share.files for share in self.shares.values())


@dataclass(frozen=True)
class LooseFile:
    """A file that is not as a package brought it; a link has a `target` and no digest.

    `made_from` is what it was before, where that is known: a package, or a Python module.
    """

    place: Place
    path: str
    sha256: str | None
    size_bytes: int
    target: str | None
    origin: str
    made_from: str | None


@dataclass(frozen=True)
class Account:
    """All that an image consists of, but for the model. `common_licences` are the paths of the root's own copies."""

    packages: tuple[PackageAccount, ...]
    loose_files: tuple[LooseFile, ...]
    common_licences: tuple[str, ...]


@dataclass(frozen=True)
class _FileSystem:
    """A file system's files, who may own them, and the origins of those that the builder laid into it."""

    place: Place
    files: Iterable[ImageFile]
    ownerships: tuple[Ownership, ...]
    overlaid: Mapping[str, str]


def take_account(contents: Contents, trees: PackageTrees, installed: Installed, plan: RenderPlan) -> Account:
    """Account for each file of the image that was made from these package trees and this plan."""
    counts, sizes = Counter[tuple[str, Place]](), Counter[tuple[str, Place]]()
    loose = []
    for system in _file_systems(contents, trees, plan):
        for file in system.files:
            owner = next((owner for one in system.ownerships if (owner := one.of(file))), None)
            if owner is None:
                loose.append(_loose(system, file))
            else:
                counts[owner, system.place] += 1
                sizes[owner, system.place] += len(file.content)
    for place, packages in ((Place.ROOT, installed.root), (Place.INITRD, installed.initrd)):
        counts.update({(package.name, place): 0 for package in packages})
    shares = {key: Share(count, sizes[key]) for key, count in counts.items()}
    common = sorted(f"/{path.relative_to(contents.root)}" for path in (contents.root / _COMMON_LICENCES).glob("*"))
    return Account(
        packages=tuple(
            PackageAccount(
                package=package,
                shares={place: shares[package.name, place] for place in Place if (package.name, place) in shares},
                licence=_licence(package, trees.root if package in installed.root else trees.initrd),
                licence_text=_licence_text(package, contents.root),
            )
            for package in installed.all
        ),
        loose_files=tuple(loose),
        common_licences=tuple(common),
    )


def _file_systems(contents: Contents, trees: PackageTrees, plan: RenderPlan) -> Iterator[_FileSystem]:
    root, initrd = read_ownership(trees.root), read_ownership(trees.initrd)
    overlaid = dict(_overlaid(plan, _ROOT_TREE))
    esp = {path.removeprefix(_EFI): origin for path, origin in overlaid.items() if path.startswith(_EFI)}
    yield _FileSystem(Place.ROOT, files_of(contents.root), (root,), overlaid)
    # The initrd has kernel modules, and they are the root's.
    yield _FileSystem(Place.INITRD, contents.initrd, (initrd, root), dict(_overlaid(plan, INITRD_TREE)))
    yield _FileSystem(Place.ESP, files_of(contents.esp), (), esp)


def _overlaid(plan: RenderPlan, tree: str) -> Iterator[tuple[str, str]]:
    """Give the files that the builder lays into a file system, each with its origin."""
    for file in plan.files:
        if file.path.startswith(f"{tree}/"):
            source = file.origins[0] if file.from_overlay else None
            overlay = source and source.path.relative_to(OVERLAYS_DIR).parts[0]
            yield file.path.removeprefix(tree), f"{Origin.OVERLAY}{overlay}" if overlay else Origin.RENDERED


def _loose(system: _FileSystem, file: ImageFile) -> LooseFile:
    origin, made_from = _origin(system, file.path)
    digest = hashlib.sha256(file.content).hexdigest() if file.target is None else None
    return LooseFile(system.place, file.path, digest, len(file.content), file.target, origin, made_from)


def _origin(system: _FileSystem, name: str) -> tuple[str, str | None]:
    if name in system.overlaid:
        return system.overlaid[name], None
    path = PurePosixPath(name)
    if path.suffix == ".pyc" and path.parent.name == "__pycache__":
        return Origin.BYTECODE, str(path.parent.parent / f"{path.name.split('.')[0]}.py")
    for owner in (owner for one in system.ownerships for owner in one.owners.get(name, ())):
        return Origin.CHANGED, owner
    return Origin.MADE, None


def _licence(package: Package, tree: Path) -> str:
    """Read the licence where the package was installed; of the initrd's packages, the image has no documents."""
    text = _inside(tree, f"{_DOCUMENTS}/{package.name}/copyright")
    return licence_expression(text.read_text(errors="replace") if text else "", package.source)


def _licence_text(package: Package, root: Path) -> str | None:
    text = _inside(root, f"{_DOCUMENTS}/{package.name}/copyright")
    return f"/{text.relative_to(root.resolve())}" if text else None


def _inside(root: Path, relative: str) -> Path | None:
    """Find a file in a tree, its links resolved: some packages' documents are links to others'."""
    real = (root / relative).resolve()
    return real if real.is_file() and real.is_relative_to(root.resolve()) else None
