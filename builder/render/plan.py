"""The plan: every file of the rendered tree with its bytes, before anything is written."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from builder.errors import Location
from builder.profile.load import ResolvedProfile
from builder.render import boot_entry
from builder.render.configuration import Line
from builder.render.mkosi import INITRD_TREE, cache_key, command_line, image_configuration, initrd_configuration
from builder.render.overlay import Overlay, OverlayFile, load_overlays
from builder.render.repart import model_partition, partitions

PRESETS = "usr/lib/systemd/system-preset"
INITRD = "initrd/"
# What is added to the disk image after mkosi has made it.
MODEL_REPART = "model.repart"
BOOT_MENU = "efi/loader/loader.conf"


@dataclass(frozen=True)
class RenderedFile:
    """A file of the tree: path from its top, content, mode, and where its lines come from.

    `origins` has one entry a line for rendered configuration, and a single one for a file taken from an overlay.
    """

    path: str
    content: bytes
    mode: int
    origins: tuple[Location | None, ...]
    from_overlay: bool


@dataclass(frozen=True)
class RenderPlan:
    """All files of the tree, sorted by path.

    `components` are those of the Debian archive that it needs beside main; `cache_key` is what mkosi names its trees of
    installed packages by. `command_lines` are the kernel's arguments for each way to start the image, without the root
    hash, which is not known yet.
    """

    files: tuple[RenderedFile, ...]
    components: tuple[str, ...]
    cache_key: str
    command_lines: Mapping[str, tuple[str, ...]]

    @property
    def boot_menu(self) -> str:
        """The boot loader's settings; empty if no overlay has any."""
        return next((file.content.decode() for file in self.files if file.path == f"mkosi.extra/{BOOT_MENU}"), "")

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all paths, modes and contents."""
        found = hashlib.sha256()
        for file in self.files:
            found.update(f"{file.path}\0{file.mode:o}\0{len(file.content)}\0".encode())
            found.update(file.content)
        return found.hexdigest()

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 over the mode and content of each file, by its path."""
        content = {file.path: f"{file.mode:o}\0".encode() + file.content for file in self.files}
        return {path: hashlib.sha256(data).hexdigest() for path, data in content.items()}


def render(resolved: ResolvedProfile, overlays_dir: Path) -> RenderPlan:
    """Turn a profile and the overlays it names into a plan; reads the overlays, and nothing else."""
    overlays = load_overlays(resolved, overlays_dir)
    files = [
        _configuration("mkosi.conf", image_configuration(resolved, overlays)),
        _configuration("mkosi.initrd.conf", initrd_configuration(overlays)),
        *(_configuration(f"mkosi.repart/{name}", text) for name, text in partitions(resolved.profile).items()),
        _configuration(f"{MODEL_REPART}/20-model.conf", model_partition(resolved.model.model)),
        *(
            _configuration(f"{boot_entry.DIRECTORY}/{name}", text)
            for name, text in boot_entry.boot_entries(overlays).items()
        ),
        _configuration(f"mkosi.extra/{PRESETS}/00-claudineos.preset", _preset(overlays)),
    ]
    # A later overlay's file takes an earlier one's place; load_overlays has checked that this is meant.
    laid: dict[str, OverlayFile] = {file.target: file for overlay in overlays for file in overlay.files}
    files += [_copied(_place(file.target), file) for file in laid.values()]
    # mkosi runs what is in such a directory, in the order of names.
    files += [
        _copied(f"mkosi.{script.target}.d/{overlay.name}", script) for overlay in overlays for script in overlay.scripts
    ]
    components = {listed.thing for overlay in overlays for listed in overlay.listed("components")}
    return RenderPlan(
        files=tuple(sorted(files, key=lambda file: file.path)),
        components=tuple(sorted(components)),
        cache_key=cache_key(resolved, overlays),
        command_lines=boot_entry.command_lines(command_line(resolved, overlays), overlays),
    )


def _preset(overlays: tuple[Overlay, ...]) -> list[Line]:
    """Enable what the overlays name, and nothing else that a package would like to start."""
    written = [Line("# Units that start by themselves; all others are disabled by the last line.")]
    for overlay in overlays:
        for unit in overlay.units:
            written += [Line(f"# {unit.reason}"), Line(f"enable {unit.thing}", unit.location)]
    return [*written, Line("disable *")]


def _place(target: str) -> str:
    """Say where in the tree a file of an overlay goes: what is below `initrd/` is laid over the initrd's root."""
    in_initrd = target.removeprefix(INITRD)
    return f"mkosi.extra/{target}" if in_initrd == target else f"{INITRD_TREE}/{in_initrd}"


def _copied(path: str, file: OverlayFile) -> RenderedFile:
    return RenderedFile(path, file.content, file.mode, (Location(file.source),), from_overlay=True)


def _configuration(path: str, text: Sequence[Line]) -> RenderedFile:
    content = "".join(f"{line.text}\n" for line in text).encode()
    return RenderedFile(path, content, 0o644, tuple(line.origin for line in text), from_overlay=False)
