"""What is compared: a disk image, and what the build left beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.errors import BuilderError
from builder.lock import load_lock

_HINT = "Name a disk image or the directory of a build, for example build/qemu/out"


@dataclass(frozen=True)
class Subject:
    """`image` is the disk image; the files beside it have its name with other endings."""

    image: Path

    def beside(self, ending: str) -> Path | None:
        """Return the file with this ending, if there is one."""
        path = self.image.with_suffix(ending)
        return path if path.is_file() else None

    @property
    def locked_packages(self) -> Mapping[str, str] | None:
        """Versions by name, of root and initrd, from the lock; None without one."""
        path = self.beside(".lock")
        if path is None:
            return None
        lock = load_lock(path)
        return {one.name: one.version for one in (*lock.initrd, *lock.root)}

    @property
    def root_packages(self) -> Mapping[str, str] | None:
        """Versions by name, of the root, from mkosi's manifest; None without one."""
        manifest = self._json(".manifest")
        return None if manifest is None else {one["name"]: one["version"] for one in manifest["packages"]}

    @property
    def licences(self) -> Mapping[str, str] | None:
        """Licences by the name of what has them, from the SBOM (CycloneDX); None without one."""
        bom = self._json(".cdx.json")
        return None if bom is None else {one["name"]: _licences(one) for one in bom["components"]}

    def _json(self, ending: str) -> dict[str, Any] | None:
        path = self.beside(ending)
        if path is None:
            return None
        try:
            return dict(json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise BuilderError(f"{path} cannot be read: {error}", hint="Remove it to compare without it") from error


def find_subject(path: Path) -> Subject:
    """Find the image at `path`, or the one in that directory; BuilderError if there is none, or several."""
    if path.is_file():
        return Subject(path)
    found = sorted(path.glob("*.raw")) if path.is_dir() else []
    if len(found) != 1:
        message = f"there are {len(found)} disk images in {path}" if path.is_dir() else f"there is no {path}"
        raise BuilderError(message, hint=_HINT)
    return Subject(found[0])


def _licences(component: Mapping[str, Any]) -> str:
    """Join what CycloneDX 1.6 allows for a component: an expression, or licences with an id or a name."""
    listed = component.get("licenses", [])
    names = [one.get("expression") or one["license"].get("id") or one["license"].get("name") for one in listed]
    return ", ".join(str(name) for name in names)
