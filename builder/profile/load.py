"""From a profile's name to the resolved profile.

    resolved = load_profile("qemu")
    resolved.profile.boot.console                      # ("tty0", "ttyS0")
    resolved.origins[("boot", "console", 1)]           # …/profiles/qemu.yaml:14:7

Every file of the family is checked alone, so that a mistake is reported in the file that holds it; what only shows
in the merged result, such as a missing key, is reported in the file that was asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from builder.errors import BuilderError, Location
from builder.profile.catalogue import MODELS, CatalogueEntry, load_model
from builder.profile.document import Document, KeyPath, load_document
from builder.profile.merge import merge
from builder.profile.model import LEAST_CONTEXT_TOKENS, Profile
from builder.profile.nearest import nearest
from builder.profile.schema_version import check_schema
from builder.profile.validate import check_written, validate

# The package runs from its source tree; so the profiles of the repository are found from any directory.
PROFILES_DIR = Path(__file__).parents[2] / "profiles"
SUFFIX = ".yaml"


@dataclass(frozen=True)
class ResolvedProfile:
    """A complete profile, and where each of its values was written.

    `origins` has a place for every value and section by key path (spelt as in the file: `schema`, not
    `schema_version`); a section's is that in the last file that wrote to it. `files` go from the profile that was
    asked for to the root of its family.
    """

    profile: Profile
    # The entry of the model that the profile names.
    model: CatalogueEntry
    origins: Mapping[KeyPath, Location]
    files: tuple[Path, ...]

    @property
    def context_tokens(self) -> int:
        """The longest conversation that the model is given, where there is memory for it."""
        wanted = self.profile.model.context_tokens
        return self.model.model.context_tokens if wanted is None else min(wanted, self.model.model.context_tokens)


@dataclass(frozen=True)
class ProfileSummary:
    """What a profile says about itself."""

    name: str
    description: str
    path: Path


def load_profile(name_or_path: str, profiles_dir: Path = PROFILES_DIR) -> ResolvedProfile:
    """Load a profile and all that it extends, and merge them (see `merge` for the rules).

    A value with a slash, or one that ends in .yaml, is a path; its parents are looked for beside it, then in
    `profiles_dir`. Anything else is the name of a profile in `profiles_dir`. The model is looked for in the folder
    `models` beside the file that names it, then in that of `profiles_dir`. Raises BuilderError.
    """
    family = _family(_asked_for(name_or_path, profiles_dir), profiles_dir)
    merged = reduce(merge, reversed(family))
    origins = {key_path: mark.value for key_path, mark in merged.marks.items() if key_path}
    profile = validate(merged, Profile)
    named_at = origins[("model", "name")]
    model = load_model(profile.model.name, model_folders(named_at.path.parent, profiles_dir), named_at)
    _check_memory(profile, model, named_at)
    return ResolvedProfile(profile, model, origins, tuple(document.path for document in family))


def model_folders(here: Path, profiles_dir: Path = PROFILES_DIR) -> tuple[Path, ...]:
    """Return the folders that make up the catalogue for somebody whose files are `here`."""
    return tuple(dict.fromkeys((here / MODELS, profiles_dir / MODELS)))


def _check_memory(profile: Profile, entry: CatalogueEntry, named_at: Location) -> None:
    hardware = profile.hardware
    needed, there = entry.model.memory_bytes(LEAST_CONTEXT_TOKENS), hardware.memory_for_model_bytes
    if needed > there:
        raise BuilderError(
            f"the model {entry.model.name} needs {needed >> 20} MiB, and a machine of {hardware.memory_mib} MiB has "
            f"{there >> 20} MiB for it",
            hint="Choose a smaller model (`claudineos model check` lists those that fit), or raise hardware.memory_mib",
            location=named_at,
        )


def list_profiles(profiles_dir: Path = PROFILES_DIR) -> tuple[ProfileSummary, ...]:
    """Describe the profiles of a folder, by name; a file that is no profile is a BuilderError."""
    documents = [_read(path) for path in sorted(profiles_dir.glob(f"*{SUFFIX}"))]
    return tuple(
        ProfileSummary(str(document.data["name"]), str(document.data["description"]), document.path)
        for document in documents
    )


def _asked_for(name_or_path: str, profiles_dir: Path) -> Path:
    if "/" in name_or_path or name_or_path.endswith(SUFFIX):
        return Path(name_or_path)
    path = profiles_dir / f"{name_or_path}{SUFFIX}"
    if not path.exists():
        hint = nearest(name_or_path, _names(profiles_dir), what="Profiles")
        raise BuilderError(f"there is no profile {name_or_path!r} in {profiles_dir}", hint=hint)
    return path


def _family(path: Path, profiles_dir: Path) -> list[Document]:
    """Read a profile and all that it extends, from child to root."""
    family = [_read(path)]
    while (parent := family[-1].data.get("extends")) is not None:
        names = [str(document.data["name"]) for document in family]
        if parent in names:
            chain = " → ".join([*names, str(parent)])
            hint = "Take one extends away, so that the chain ends"
            raise BuilderError(
                f"profiles extend each other: {chain}", hint=hint, location=family[-1].locate(("extends",))
            )
        family.append(_read(_parent(family[-1], str(parent), profiles_dir)))
    return family


def _parent(child: Document, name: str, profiles_dir: Path) -> Path:
    folders = (child.path.parent, profiles_dir)
    for folder in folders:
        if (path := folder / f"{name}{SUFFIX}").exists():
            return path
    others = {known for folder in folders for known in _names(folder)} - {child.path.stem}
    hint = nearest(name, others, what="Profiles")
    raise BuilderError(f"there is no profile {name!r} to extend", hint=hint, location=child.locate(("extends",)))


def _names(folder: Path) -> list[str]:
    return [path.stem for path in folder.glob(f"*{SUFFIX}")]


def _read(path: Path) -> Document:
    """Read one profile file and check all that it says by itself."""
    document = load_document(path)
    check_schema(document)
    check_written(document, Profile)
    for key in ("name", "description"):
        if key not in document.data:
            hint = f"Add it: each profile has its own {key}"
            raise BuilderError(f"{key} is missing", hint=hint, location=document.locate(()))
    if (name := document.data["name"]) != path.stem:
        hint = f"Write name: {path.stem}, or rename the file to {name}{SUFFIX}"
        message = f"the profile is named {name!r}, its file {path.name!r}"
        raise BuilderError(message, hint=hint, location=document.locate(("name",)))
    return document
