"""The tools tree: a Debian tree with every program that builds, checks and boots an image.

mkosi runs its programs from here instead of from the host, so that the host's age does not matter, and the same
versions are used everywhere. A tree is made beside its final place and renamed when it is whole.
"""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from builder import log
from builder.fetch import check_room
from builder.run import run, run_logged
from builder.toolchain.apt import TOOLS_RELEASE, PackageSource
from builder.toolchain.cache import packages_directory
from builder.toolchain.mkosi import Mkosi

# mkosi's own list (Include=mkosi-tools) makes images; these are what else is needed.
PACKAGES = {
    "erofs-utils": "makes the root file system",
    "fdisk": "prints partition tables as JSON (sfdisk)",
    "systemd-tpm": "predicts PCR 11 for the signed kernel image (systemd-measure)",
    "qemu-system-x86": "boots the image",
    "qemu-system-gui": "shows it in a window",
    "qemu-utils": "puts a disk that may be written to over the image (qemu-img)",
    "ovmf": "UEFI firmware with Secure Boot for the machine",
    "swtpm": "the machine's TPM",
    "swtpm-tools": "makes the TPM's first state",
    "llama.cpp-tools": "runs a tiny model for the client's tests (llama-server)",
}

# The tree, the packages it is made of, and mkosi's own copy while it works.
NEEDED_BYTES = 4_000_000_000

CONFIGURATION = f"""\
[Distribution]
Distribution=debian
Release={TOOLS_RELEASE}

# After the release, which it looks at.
[Include]
Include=mkosi-tools

[Output]
Format=directory
Output=tree

[Content]
Bootable=no
WithDocs=no
Packages=
{"".join(f"    {name}  # {why}{chr(10)}" for name, why in PACKAGES.items())}"""


# Raised when a tree is kept in another way.
_LAYOUT = 2


@dataclass(frozen=True)
class ToolsTree:
    """A whole tree of tools, and the digest of what it was made from. `lists` are the indices apt installed it from."""

    path: Path
    lists: Path
    digest: str


def find_tools_tree(cache: Path, mkosi: Mkosi, source: PackageSource) -> ToolsTree | None:
    """Return the tools tree of this mkosi and source, if it has been built and is whole."""
    tree = _place(cache, mkosi, source)
    record = tree.path.with_name("inventory")
    return tree if record.is_file() and record.read_text() == _inventory(tree.path) else None


def ensure_tools_tree(cache: Path, mkosi: Mkosi, source: PackageSource) -> ToolsTree:
    """Return a whole tools tree, building it if need be."""
    if tree := find_tools_tree(cache, mkosi, source):
        return tree
    tree = _place(cache, mkosi, source)
    directory = tree.path.parent
    if directory.exists():
        log.warning(f"the tools tree {directory} is damaged and is built again")
        _remove(directory, mkosi)
    check_room(cache, NEEDED_BYTES)
    with log.step("Building the tools tree (once; 1 to 3 minutes)"):
        _build(directory, cache, mkosi, source)
    return tree


def _place(cache: Path, mkosi: Mkosi, source: PackageSource) -> ToolsTree:
    inputs = [str(_LAYOUT), mkosi.version, source.name, CONFIGURATION]
    digest = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
    directory = cache / "tools" / digest
    return ToolsTree(directory / "tree", directory / "lists", digest)


def _build(directory: Path, cache: Path, mkosi: Mkosi, source: PackageSource) -> None:
    directory.parent.mkdir(exist_ok=True)
    log_file = cache / "tools-tree.log"
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix="new-") as scratch:
        work = Path(scratch)
        (work / "mkosi.conf").write_text(CONFIGURATION)
        # With a cache, mkosi keeps the indices that it installs from.
        indices = work / "indices"
        indices.mkdir()
        arguments = [
            *("--directory", str(work)),
            *("--cache-directory", str(indices)),
            *("--package-cache-directory", str(packages_directory(cache))),
            *source.arguments(work / "sandbox", TOOLS_RELEASE),
        ]
        run_logged(mkosi.command(*arguments, "build"), log_file)
        _keep_lists(indices, work / "lists")
        (work / "inventory").write_text(_inventory(work / "tree"))
        try:
            work.rename(directory)
            work.mkdir()  # for the context manager to remove
        except OSError:
            # Another build was quicker, with the same tools.
            if not directory.exists():
                raise


def _keep_lists(indices: Path, lists: Path) -> None:
    lists.mkdir()
    for index in indices.glob("*.metadata.cache/lib/apt/lists/*_Packages"):
        # apt links to the index of an archive that is a directory.
        shutil.copyfile(index, lists / index.name)
    shutil.rmtree(indices)


def _inventory(tree: Path) -> str:
    """Digest of the names and sizes under `usr`: notices a file that is missing or cut short, in half a second."""
    found = hashlib.sha256()
    for directory, subdirectories, names in os.walk(tree / "usr"):
        subdirectories.sort()
        for name in sorted(names):
            path = os.path.join(directory, name)  # noqa: PTH118 - pathlib is three times slower here
            found.update(f"{path[len(str(tree)) :]}\0{os.lstat(path).st_size}\n".encode())
    return found.hexdigest()


def _remove(directory: Path, mkosi: Mkosi) -> None:
    """Without root, the tree's files belong to other user ids, which only mkosi's namespace may remove."""
    run(mkosi.command("--directory", str(directory), "-f", "clean"), check=False)
    run(["rm", "-rf", "--one-file-system", str(directory)])
