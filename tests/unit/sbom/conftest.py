"""A small image, unpacked: three packages, files of an overlay and of nobody, and a model."""

from datetime import date
from pathlib import Path

import pytest

from builder.errors import Location
from builder.model import ModelImage
from builder.packages import installed_packages
from builder.profile import load_model
from builder.render import OVERLAYS_DIR, RenderedFile, RenderPlan
from builder.sbom import Account, Contents, Subject, Tools, compose_sbom, take_account
from builder.sbom.contents import ImageFile
from tests.support.package_trees import FakePackage, lay_package_trees

SHELL = FakePackage(
    "shell", {"usr/bin/sh": b"a shell", "usr/share/man/sh.1": b"words"}, {"etc/sh.conf": b"set"}, "GPL-2+"
)
PYTHON = FakePackage("python", {"usr/lib/python3/os.py": b"import sys"}, source="python3.14")
PAGER = FakePackage("pager", {"usr/bin/pager": b"a pager", "usr/lib/pager": b"help"}, licence="Less")
MODULE = "usr/lib/modules/7/nvme.ko"
KERNEL = FakePackage("kernel", {MODULE: b"a driver"}, licence="GPL-2")


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    """What a build left: the packages' files but for one, two that were changed, and some of its own."""
    root, esp = tmp_path / "root", tmp_path / "esp"
    for package in (SHELL, PYTHON, KERNEL):
        package.install(root)
    (root / "usr/share/man/sh.1").unlink()
    for path, content in {
        "etc/sh.conf": b"set -e",
        "etc/hostname": b"claudine",
        "usr/lib/systemd/system-preset/00-claudineos.preset": b"disable *",
        "usr/lib/python3/__pycache__/os.cpython-314.pyc": b"code",
        "etc/group": b"root:x:0:",
        "usr/share/common-licenses/GPL-2": b"the text",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (root / "etc/mtab").symlink_to("../proc/self/mounts")
    (esp / "loader").mkdir(parents=True)
    (esp / "loader/loader.conf").write_bytes(b"timeout 0")
    initrd = (
        ImageFile("/init", b"", "usr/lib/systemd/systemd"),
        ImageFile("/usr/bin/sh", b"a shell"),
        ImageFile(f"/{MODULE}", b"a driver"),
        ImageFile("/usr/lib/claudine/init", b"mount"),
    )
    return Contents(root, esp, initrd)


@pytest.fixture
def account(contents: Contents, tmp_path: Path) -> Account:
    trees = lay_package_trees(tmp_path / "trees", root=[SHELL, PYTHON, KERNEL], initrd=[SHELL, PAGER])
    # dpkg's own files are no packages', and mkosi takes them out.
    for path in (contents.root / "var/lib/dpkg").rglob("*"):
        if path.is_file():
            path.unlink()
    return take_account(contents, trees, installed_packages(trees), plan())


def plan() -> RenderPlan:
    def overlaid(path: str, source: str) -> RenderedFile:
        return RenderedFile(path, b"", 0o644, (Location(OVERLAYS_DIR / source),), from_overlay=True)

    preset = "mkosi.extra/usr/lib/systemd/system-preset/00-claudineos.preset"
    files = (
        overlaid("mkosi.extra/etc/hostname", "base/etc/hostname"),
        overlaid("mkosi.extra/efi/loader/loader.conf", "base/efi/loader/loader.conf.j2"),
        overlaid("mkosi.initrd.extra/usr/lib/claudine/init", "hardening/initrd/usr/lib/claudine/init"),
        RenderedFile(preset, b"", 0o644, (None,), from_overlay=False),
    )
    return RenderPlan(files, components=(), cache_key="key", command_lines={})


@pytest.fixture
def sbom(account: Account) -> str:
    return written(account)


def written(account: Account, *, image_sha256: str = "ab" * 32) -> str:
    subject = Subject(
        id="claudineos",
        version="0.1.0",
        label="claudineos_0.1.0",
        sha256=image_sha256,
        size_bytes=1000,
        root_hash="cd" * 32,
        release="forky",
        source_date=date(2026, 11, 1),
        profile="qemu",
        profile_digest="ef" * 32,
    )
    model = load_model("smollm2-135m", [Path(__file__).parents[3] / "profiles/models"]).model
    image = ModelImage(model.id, Path("model.raw"), root_hash="12" * 32, sha256="34" * 32, size_bytes=2000)
    tools = Tools("0.1.0", "27.1", (("mtools", "4.0.49-1", "amd64"), ("erofs-utils", "1.9-1", "amd64")))
    return compose_sbom(subject, account, model, image, tools)
