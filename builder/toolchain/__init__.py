"""The tools that build and boot an image: mkosi, and a tree that holds everything mkosi calls.

The host needs Python and apt only. `open_toolchain` finds or fetches mkosi, builds the tools tree if there is none,
and returns a frozen `Toolchain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.fetch import cache_directory, check_room
from builder.toolchain.apt import Archive, PackageSource
from builder.toolchain.mkosi import Mkosi, find_mkosi
from builder.toolchain.tools_tree import ToolsTree, ensure_tools_tree

__all__ = [
    "Archive",
    "Mkosi",
    "PackageSource",
    "Toolchain",
    "ToolsTree",
    "check_room",
    "open_toolchain",
]

HOST_ARCHIVE = Archive()


@dataclass(frozen=True)
class Toolchain:
    """Ready tools. `cache` is where everything that can be made again is kept."""

    mkosi: Mkosi
    tools: ToolsTree
    cache: Path

    @property
    def tools_tree(self) -> Path:
        """The tree's root."""
        return self.tools.path

    @property
    def tools_digest(self) -> str:
        """Digest of what the tree was made from."""
        return self.tools.digest

    def box(self, argv: Sequence[str]) -> list[str]:
        """Return the command that runs `argv` with the tools tree's `/usr` in place of the host's."""
        return self.mkosi.command("--directory", "", "--tools-tree", str(self.tools_tree), "box", "--", *argv)


def open_toolchain(archive: Archive = HOST_ARCHIVE) -> Toolchain:
    """Obtain and check the tools; `archive` is where Debian packages come from, by default the host's mirror."""
    cache = cache_directory()
    mkosi = find_mkosi(cache, archive)
    return Toolchain(mkosi, ensure_tools_tree(cache, mkosi, archive), cache)
