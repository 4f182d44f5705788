"""An overlay: a directory that mirrors the image's root, and an `overlay.yaml` that says what else it needs, and why.

What is below `initrd/` mirrors the initrd's root instead.

`*.j2` files go through jinja2, which sees the resolved profile and nothing else, and refuses a name that is not in it.
So do the names of files and folders. All other files are copied byte for byte. Modes are 0755 for what its owner may
execute, else 0644.

Programs named `finalize` and `finalize-initrd` beside it are run by mkosi when everything else is in place, with the
root of the image or of the initrd in $BUILDROOT: for what can only be computed from the whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Annotated

import jinja2
from pydantic import Field

from builder.errors import BuilderError, Location
from builder.profile.document import Document, load_document
from builder.profile.load import ResolvedProfile
from builder.profile.nearest import nearest
from builder.profile.validate import StrictModel, validate

# The package runs from its source tree; so the overlays of the repository are found from any directory.
OVERLAYS_DIR = Path(__file__).parents[2] / "overlays"
DESCRIPTION_FILE = "overlay.yaml"
FINALIZE_INITRD = "finalize-initrd"
FINALIZE_SCRIPTS = ("finalize", FINALIZE_INITRD)
TEMPLATE_SUFFIX = ".j2"


class BootEntry(StrictModel):
    """Another way to start the image, beside the usual one: the same kernel and root with more kernel arguments."""

    title: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 .,'-]*$",
        description="What a person chooses in the boot menu, in plain words.",
        examples=["Check this machine"],
    )
    kernel_arguments: dict[str, str] = Field(
        description="Kernel arguments after those of the image, each with its reason; of two that differ, these hold."
    )


class OverlayDescription(StrictModel):
    """What `overlay.yaml` may say. Each mapping goes from a thing to the reason for it."""

    description: str = Field(min_length=1, description="What the overlay adds to the image, in one sentence.")
    components: dict[str, str] = Field(
        {}, description="Components of the Debian archive beside main that its packages are in, each with its reason."
    )
    packages: dict[str, str] = Field({}, description="Debian packages in the image, each with its reason.")
    initrd_packages: dict[str, str] = Field({}, description="Debian packages in the initrd, each with its reason.")
    kernel_arguments: dict[str, str] = Field({}, description="Kernel arguments, each with its reason.")
    kernel_modules: dict[str, str] = Field(
        {}, description="Globs of kernel modules in the image, as in a profile, each with its reason."
    )
    initrd_modules: dict[str, str] = Field({}, description="Globs of kernel modules in the initrd, likewise.")
    firmware_files: dict[str, str] = Field(
        {},
        description="Globs of firmware that stays in the image though no module asks for it, or goes (after a dash) "
        "though one does, as mkosi's FirmwareFiles= takes them, each with its reason.",
    )
    boot_entries: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9-]*$")], BootEntry] = Field(
        {}, description="Other ways to start the image, by their ids, for the boot menu. They do not open /var."
    )
    units: dict[str, str] = Field(
        {}, description="systemd units to enable, as in a preset file, each with its reason; may use jinja2."
    )
    remove_files: dict[str, str] = Field({}, description="Globs of files taken out of the image, with the reason.")
    remove_initrd_files: dict[str, str] = Field({}, description="Globs of files taken out of the initrd, likewise.")
    replaces: dict[str, str] = Field(
        {}, description="Paths of other overlays' files that this one's take the place of, each with its reason."
    )
    absent: dict[str, str] = Field(
        {},
        description="What is not in the image, each with a shell command that root runs in the booted image: it prints "
        "what it finds, so nothing if all is well.",
    )


@dataclass(frozen=True)
class OverlayFile:
    """One file of the image: `target` is its path from the root, without a leading slash."""

    target: str
    content: bytes
    mode: int
    source: Path


@dataclass(frozen=True)
class Listed:
    """A thing that an overlay wants, the reason, and the line that says so."""

    thing: str
    reason: str
    location: Location


@dataclass(frozen=True)
class Overlay:
    """A loaded overlay with its files rendered."""

    name: str
    description: OverlayDescription
    document: Document
    units: tuple[Listed, ...]
    files: tuple[OverlayFile, ...]
    scripts: tuple[OverlayFile, ...]

    def listed(self, section: str) -> list[Listed]:
        """Return what a section of the description lists."""
        return _listed(self.description, self.document, section)


def load_overlays(resolved: ResolvedProfile, overlays_dir: Path) -> tuple[Overlay, ...]:
    """Load the overlays that a profile names, in its order, and those that its hardware asks for.

    Raises BuilderError for an overlay that does not exist, a template that fails, and two overlays that write the same
    file unless the later one says that it replaces it.
    """
    values = _template_values(resolved)
    overlays = tuple(
        _load(name, values, overlays_dir, resolved.origins.get(key_path))
        for name, key_path in resolved.profile.all_overlays
    )
    _check_targets(overlays)
    return overlays


def _template_values(resolved: ResolvedProfile) -> dict[str, object]:
    """Return what a template sees: the profile, with the catalogue's words on the model that it names."""
    model = resolved.model.model
    said = {
        "id": model.id,
        "name": model.name,
        "version": model.version,
        "title": model.title,
        "licence": model.licence.id,
        "sha256": model.weights.sha256,
        "size_bytes": model.weights.size_bytes,
        "context_tokens": resolved.context_tokens,
    }
    return {**resolved.profile.model_dump(by_alias=True), "model": said}


def _load(name: str, values: Mapping[str, object], overlays_dir: Path, location: Location | None) -> Overlay:
    directory = overlays_dir / name
    if not (directory / DESCRIPTION_FILE).is_file():
        known = sorted(path.parent.name for path in overlays_dir.glob(f"*/{DESCRIPTION_FILE}"))
        hint = nearest(name, known, what="Overlays")
        raise BuilderError(f"there is no overlay {name!r} in {overlays_dir}", hint=hint, location=location)
    document = load_document(directory / DESCRIPTION_FILE)
    description = validate(document, OverlayDescription)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    units = tuple(
        replace(listed, thing=_template(environment, listed.thing, values, listed.location))
        for listed in _listed(description, document, "units")
    )
    files = {
        file.target: file
        for path in sorted(directory.rglob("*"))
        # What running the client on a desk leaves behind is not part of the overlay.
        if "__pycache__" not in path.parts and (path.is_symlink() or not path.is_dir())
        for file in [_file(path, directory, environment, values)]
    }
    del files[DESCRIPTION_FILE]
    scripts = tuple(files.pop(script) for script in FINALIZE_SCRIPTS if script in files)
    return Overlay(name, description, document, units, tuple(files.values()), scripts)


def _listed(description: OverlayDescription, document: Document, section: str) -> list[Listed]:
    things: Mapping[str, str] = getattr(description, section)
    return [Listed(thing, why, document.locate_key((section, thing))) for thing, why in things.items()]


def _file(path: Path, directory: Path, environment: jinja2.Environment, values: Mapping[str, object]) -> OverlayFile:
    if path.is_symlink() or not path.is_file():
        raise BuilderError(
            "an overlay holds regular files only", hint="Let tmpfiles.d make links", location=Location(path)
        )
    target = _template(environment, path.relative_to(directory).as_posix(), values, Location(path))
    content = path.read_bytes()
    if target.endswith(TEMPLATE_SUFFIX):
        target = target.removesuffix(TEMPLATE_SUFFIX)
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise BuilderError("a template must be UTF-8 text", hint=str(error), location=Location(path)) from error
        content = _template(environment, text, values, Location(path)).encode()
    mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    return OverlayFile(target, content, mode, path)


def _template(environment: jinja2.Environment, text: str, values: Mapping[str, object], location: Location) -> str:
    try:
        return environment.from_string(text).render(values)
    except jinja2.TemplateSyntaxError as error:
        at = Location(location.path, location.line or error.lineno)
        raise BuilderError(f"the template cannot be read: {error.message}", location=at) from error
    except jinja2.UndefinedError as error:
        raise BuilderError(
            f"the template uses what no profile has: {error.message}",
            hint="A template sees the resolved profile only; `claudineos profile show` prints it",
            location=location,
        ) from error
    except Exception as error:  # A template is a program, and fails in any way that Python knows.
        raise BuilderError(f"the template fails: {error}", location=location) from error


def _check_targets(overlays: tuple[Overlay, ...]) -> None:
    owners: dict[str, Overlay] = {}
    for overlay in overlays:
        for file in overlay.files:
            owner = owners.get(file.target)
            if owner and file.target not in overlay.description.replaces:
                raise BuilderError(
                    f"overlay {overlay.name} writes /{file.target}, which overlay {owner.name} writes too",
                    hint=f"If that is meant, say so in {overlay.document.path}: replaces: {{{file.target}: why}}",
                    location=Location(file.source),
                )
            owners[file.target] = overlay
            for parent in PurePosixPath(file.target).parents:
                if str(parent) in owners:
                    raise BuilderError(
                        f"overlay {overlay.name} has a directory /{parent}, which overlay {owners[str(parent)].name} "
                        "has as a file",
                        location=Location(file.source),
                    )
        for listed in overlay.listed("replaces"):
            if listed.thing not in {file.target for file in overlay.files}:
                message = f"overlay {overlay.name} has no file {listed.thing} that could replace another"
                raise BuilderError(message, location=listed.location)
