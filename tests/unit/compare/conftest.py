"""Two images of one build, made by hand, and what is found when the second is changed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.compare import Comparison, compare_images, find_subject
from builder.verify import ids
from builder.verify.layout import ESP, ROOT, SIGNATURE, VERITY
from tests.support.erofs_tree import Entry, compressed, directory, erofs_tree, file, link
from tests.support.initrd import archive
from tests.support.model_image import Owner
from tests.support.tiny_boot import TinyBoot, tiny_boot
from tests.support.tiny_disk import TinyDisk
from tests.support.tiny_image import LABEL, signed_root, tiny_system

FILES = {
    "/etc": directory(),
    "/etc/hostname": file(b"claudine\n"),
    "/usr": directory(),
    "/usr/program": compressed(b"machine code\0" * 4000),
    "/usr/link": link("program"),
    "/usr/lib": directory(),
    "/usr/lib/systemd": directory(),
    "/usr/lib/systemd/system": directory(),
    "/usr/lib/systemd/system/claudine.service": file(b"[Service]\nExecStart=/usr/program\n"),
}
INITRD = {"init": (0o100755, b"#!/bin/sh\nexec systemd\n"), "etc/fstab": (0o100644, b"")}
PACKAGES = {"systemd": "262-1", "dash": "0.5.13-1"}

LOCK_FACTS = """\
schema 1
profile qemu
release forky
snapshot none
source-date 2026-11-01
model smollm2-135m 1 98362432 b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
mkosi 27.1
"""


class TinyBuild:
    """What a build leaves, in small; each part may be changed before it is written."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.files: dict[str, Entry] = dict(FILES)
        self.initrd = dict(INITRD)
        self.packages = dict(PACKAGES)
        self.licences = dict.fromkeys(PACKAGES, "MIT")
        self.disk: TinyDisk = tiny_system(owner)
        self.root_hash = "a" * 64
        self.boot: TinyBoot = tiny_boot(owner, LABEL, self.root_hash)
        # Written here, its place in the file is the same whoever's key it is.
        self.boot.kernel.changed[".pcrpkey"] = self.boot.kernel.sections()[".pcrpkey"]

    def write(self, directory: Path) -> Path:
        directory.mkdir()
        self.boot.kernel.changed.setdefault(".initrd", archive(self.initrd))
        for part in signed_root(self.owner, LABEL, erofs_tree(self.files), ids.system_seed(LABEL)):
            if part.kind in (ROOT, VERITY, SIGNATURE):
                self.disk.part(part.kind).content = part.content
        self.disk.part(ESP).content = self.boot.to_bytes()
        image = directory / f"{LABEL}.raw"
        image.write_bytes(self.disk.to_bytes())
        (directory / f"{LABEL}.efi").write_bytes(self.boot.files()[self.boot.kernel_path])
        packages = [{"name": name, "version": version} for name, version in self.packages.items()]
        (directory / f"{LABEL}.manifest").write_text(json.dumps({"packages": packages}))
        components = [{"name": name, "licenses": [{"license": {"id": one}}]} for name, one in self.licences.items()]
        (directory / f"{LABEL}.cdx.json").write_text(json.dumps({"components": components}))
        return directory


Changed = Callable[[TinyBuild], None]
Compared = Callable[[Changed], Comparison]


@pytest.fixture(scope="session")
def owner() -> Owner:
    return Owner("Ada")


@pytest.fixture(scope="session")
def original(owner: Owner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return TinyBuild(owner).write(tmp_path_factory.mktemp("original") / "out")


@pytest.fixture
def compared(owner: Owner, original: Path, tmp_path: Path) -> Compared:
    """What is found when the original is compared with a changed build."""

    def comparison(change: Changed) -> Comparison:
        build = TinyBuild(owner)
        change(build)
        return compare_images(find_subject(original), find_subject(build.write(tmp_path / "out")))

    return comparison
