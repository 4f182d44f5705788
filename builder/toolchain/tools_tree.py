"""The tools tree: a Debian tree with every program that builds, checks and boots an image.

mkosi runs its programs from here instead of from the host, so that the host's age does not matter, and the same
versions are used everywhere. A tree is made beside its final place and renamed when it is whole.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from builder import log
from builder.fetch import check_room
from builder.run import run, run_logged
from builder.toolchain.apt import TOOLS_RELEASE, Archive
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


def ensure_tools_tree(cache: Path, mkosi: Mkosi, archive: Archive) -> tuple[Path, str]:
    """Return a whole tools tree and the digest of what it was made from, building it if need be."""
    digest = hashlib.sha256(f"{mkosi.version}\n{CONFIGURATION}".encode()).hexdigest()[:16]
    directory = cache / "tools" / digest
    tree = directory / "tree"
    record = directory / "inventory"
    if record.is_file() and record.read_text() == _inventory(tree):
        return tree, digest
    if directory.exists():
        log.warning(f"the tools tree {directory} is damaged and is built again")
        _remove(directory, mkosi)
    check_room(cache, NEEDED_BYTES)
    with log.step("Building the tools tree (once; 1 to 3 minutes)"):
        _build(directory, cache, mkosi, archive)
    return tree, digest


def _build(directory: Path, cache: Path, mkosi: Mkosi, archive: Archive) -> None:
    directory.parent.mkdir(exist_ok=True)
    log_file = cache / "tools-tree.log"
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix="new-") as scratch:
        work = Path(scratch)
        (work / "mkosi.conf").write_text(CONFIGURATION)
        archive.write_sandbox(work / "mkosi.sandbox", TOOLS_RELEASE)
        arguments = ["--directory", str(work), "--package-cache-directory", str(packages_directory(cache))]
        if archive.proxy:
            arguments += ["--proxy-url", archive.proxy]
        run_logged(mkosi.command(*arguments, "build"), log_file)
        (work / "inventory").write_text(_inventory(work / "tree"))
        work.rename(directory)
        work.mkdir()  # for the context manager to remove


def packages_directory(cache: Path) -> Path:
    """Return the directory in which mkosi keeps the packages it has downloaded."""
    directory = cache / "packages"
    directory.mkdir(exist_ok=True)
    return directory


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
