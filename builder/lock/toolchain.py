"""The tools that a lock names: the same mkosi, and a tree of the same packages.

The tree that is there anyway is taken when it has exactly the locked packages; otherwise one is made of them, and kept.
"""

from pathlib import Path

from builder.fetch import cache_directory
from builder.lock.differences import Difference, package_differences, refuse_differences
from builder.lock.lock import Lock, tools_packages
from builder.packages import ChosenArchive, describe, obtain_packages
from builder.toolchain import Archive, Mkosi, Toolchain, ToolsTree
from builder.toolchain.apt import TOOLS_RELEASE
from builder.toolchain.mkosi import find_mkosi, unpack_mkosi
from builder.toolchain.tools_tree import ensure_tools_tree, find_tools_tree


def open_locked_toolchain(lock: Lock, origin: Archive) -> Toolchain:
    """Return the locked tools; packages that are in no cache are fetched from `origin`.

    Raises BuilderError with the list of differences when they cannot be had.
    """
    cache = cache_directory()
    mkosi = _mkosi(lock, origin, cache)
    return Toolchain(mkosi, _tools(lock, mkosi, origin, cache), cache)


def _mkosi(lock: Lock, origin: Archive, cache: Path) -> Mkosi:
    if lock.mkosi:
        ((package, path),) = obtain_packages(lock.mkosi, origin, cache).items()
        mkosi = unpack_mkosi(path, describe(package, path), cache / f"mkosi-{package.sha256[:16]}")
    else:
        mkosi = find_mkosi(cache, origin)
    if mkosi.version != lock.mkosi_version:
        refuse_differences([Difference("mkosi", lock.mkosi_version, mkosi.version)])
    return mkosi


def _tools(lock: Lock, mkosi: Mkosi, origin: Archive, cache: Path) -> ToolsTree:
    tree = find_tools_tree(cache, mkosi, origin)
    if tree and tools_packages(tree) == lock.tools:
        return tree
    tree = ensure_tools_tree(cache, mkosi, ChosenArchive(lock.tools, TOOLS_RELEASE, origin, cache))
    refuse_differences(package_differences("tools", lock.tools, tools_packages(tree)))
    return tree
