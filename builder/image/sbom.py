"""The SBOM of an image that was just built, from the image itself and from the trees of packages that it is made of."""

import importlib.metadata
from pathlib import Path

from builder import log
from builder.errors import ToolError
from builder.image.artifacts import Artifacts
from builder.image.inputs import BuildInputs
from builder.image.mkosi import package_trees
from builder.model import ModelImage
from builder.packages import installed_packages
from builder.run import run
from builder.sbom import Contents, Subject, Tools, compose_sbom, initrd_files, take_account
from builder.toolchain import Toolchain

_ESP = "esp"


def image_sbom(out: Path, artifacts: Artifacts, inputs: BuildInputs, model: ModelImage, scratch: Path) -> str:
    """Return the text of the SBOM for the image in `out`; `scratch` is an empty directory with room for its files."""
    profile = inputs.profile
    with log.step("Accounting for what is inside"):
        contents = _unpack(out, artifacts, inputs, scratch)
        trees = package_trees(inputs)
        account = take_account(contents, trees, installed_packages(trees), inputs.plan)
        for package in account.packages:
            if package.files and not package.licence_text:
                log.warning(f"the image has files of {package.package.name}, but not the text of its licence")
        subject = Subject(
            id=profile.image.id,
            version=profile.image.version,
            label=profile.image.label,
            sha256=artifacts.files[artifacts.image],
            size_bytes=(out / artifacts.image).stat().st_size,
            root_hash=artifacts.root_hash,
            release=profile.distribution.release,
            source_date=profile.image.source_date,
            profile=profile.name,
            profile_digest=artifacts.profile_digest,
        )
        return compose_sbom(subject, account, inputs.resolved.model.model, model, _tools(inputs.toolchain))


def _unpack(out: Path, artifacts: Artifacts, inputs: BuildInputs, scratch: Path) -> Contents:
    """Copy the files out of the image's file systems; nothing is mounted, and their owners do not matter."""
    disk = out / artifacts.image
    offsets = {partition.label: partition.offset_bytes for partition in artifacts.partitions}
    root, esp = scratch / "root", scratch / "esp"
    esp.mkdir()
    at_root = f"--offset={offsets[inputs.profile.image.label]}"
    box = inputs.toolchain.box
    run(box(["fsck.erofs", f"--extract={root}", "--no-preserve", at_root, str(disk)]))
    run(box(["mcopy", "-s", "-i", f"{disk}@@{offsets[_ESP]}", "::/", f"{esp}/"]))
    try:
        return Contents(root, esp, initrd_files(out / artifacts.uki))
    except ValueError as error:
        raise ToolError(f"the initrd in {artifacts.uki} cannot be read: {error}") from error


def _tools(toolchain: Toolchain) -> Tools:
    """Say what made the image: for the programs of the tools tree, what is installed there."""
    database = toolchain.tools_tree / "var/lib/dpkg"
    query = ["dpkg-query", f"--admindir={database}", "-W", "-f", "${Package} ${Version} ${Architecture}\\n"]
    names = (line.split(" ") for line in run(query, check=False).stdout.splitlines())
    packages = tuple((name, version, architecture) for name, version, architecture in names)
    return Tools(importlib.metadata.version("claudineos"), toolchain.mkosi.version, packages)
