"""A difference is named by its innermost place: partition, file, section."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from builder.compare import Change, compare_images, find_subject
from builder.errors import BuilderError
from builder.verify.layout import ESP, MODEL
from tests.support.erofs_tree import file, link
from tests.support.model_image import Owner
from tests.support.tiny_image import LABEL, tiny_model
from tests.unit.compare.conftest import FILES, LOCK_FACTS, Compared, TinyBuild

OTHER_PROGRAM = b"machine code\0" * 3999 + b"Machine code\0"
CAPABLE = ((6, b"capability", b"\1"),)
KERNEL = f"/EFI/Linux/{LABEL}.efi"


def put(path: str, **facts: object) -> Callable[[TinyBuild], None]:
    def change(build: TinyBuild) -> None:
        build.files[path] = replace(FILES[path], **facts)  # type: ignore[arg-type]

    return change


def kernel_argument(build: TinyBuild) -> None:
    build.boot.kernel.arguments = (*build.boot.kernel.arguments, "init=/bin/sh")


def initrd_mode(build: TinyBuild) -> None:
    build.initrd["init"] = (0o100777, build.initrd["init"][1])


def initrd_file(build: TinyBuild) -> None:
    build.initrd["etc/passwd"] = (0o100644, b"")


def boot_menu(build: TinyBuild) -> None:
    build.boot.changed["loader/loader.conf"] = b"timeout 9\n"


def another_program(build: TinyBuild) -> None:
    build.boot.changed["EFI/BOOT/shellx64.efi"] = b"MZ"


def label(build: TinyBuild) -> None:
    build.disk.part(ESP).label = "mine"


def identity(build: TinyBuild) -> None:
    build.disk.id = "11111111-2222-3333-4444-555555555555"


def weights(build: TinyBuild) -> None:
    build.disk.part(MODEL).content = tiny_model(build.owner, weights=b"others").to_bytes()


@pytest.mark.parametrize(
    ("change", "place", "what"),
    [
        (put("/etc/hostname", content=b"Claudine\n"), ("root", "/etc/hostname"), "content"),
        (
            put("/usr/program", content=b"machine code\0" * 3999 + b"Machine code\0"),
            ("root", "/usr/program"),
            "content",
        ),
        (put("/etc/hostname", mode=0o100666), ("root", "/etc/hostname"), "mode"),
        (put("/usr/program", uid=1000), ("root", "/usr/program"), "owner"),
        (put("/etc", mtime_s=1), ("root", "/etc"), "time"),
        (put("/usr/link", content=b"/bin/sh"), ("root", "/usr/link"), "target"),
        (
            put("/usr/program", xattrs=((6, b"capability", b"\1"),)),
            ("root", "/usr/program"),
            "attribute security.capability",
        ),
        (lambda build: build.files.update({"/etc/x": file(b"")}), ("root", "/etc/x"), "added"),
        (lambda build: build.files.pop("/etc/hostname"), ("root", "/etc/hostname"), "removed"),
        (lambda build: build.files.update({"/etc/hostname": link("x")}), ("root", "/etc/hostname"), "type"),
        (kernel_argument, ("ESP", KERNEL, ".cmdline"), "content"),
        (initrd_mode, ("ESP", KERNEL, ".initrd", "/init"), "mode"),
        (initrd_file, ("ESP", KERNEL, ".initrd", "/etc/passwd"), "added"),
        (boot_menu, ("ESP", "/loader/loader.conf"), "content"),
        (another_program, ("ESP", "/EFI/BOOT/shellx64.efi"), "added"),
        (label, ("ESP",), "label"),
        (identity, ("outside the partitions",), "content"),
        (weights, ("model", "root", "/model.gguf"), "content"),
    ],
)
def test_a_planted_difference_is_named(
    compared: Compared, change: Callable[[TinyBuild], None], place: tuple[str, ...], what: str
) -> None:
    found = compared(change)
    assert (place, what) in [(difference.place, difference.what) for difference in found.differences]
    assert not found.same


def test_texts_are_shown_by_their_lines_and_other_files_by_the_first_byte(compared: Compared) -> None:
    def change(build: TinyBuild) -> None:
        put("/etc/hostname", content=b"Ada\n")(build)
        put("/usr/program", content=OTHER_PROGRAM)(build)

    details = {difference.place[-1]: difference.detail for difference in compared(change).differences}
    assert details["/etc/hostname"] == "-claudine\n+Ada"
    assert details["/usr/program"] == f"first at byte {OTHER_PROGRAM.index(b'M')}"


def test_the_same_build_says_that_nothing_differs(compared: Compared) -> None:
    found = compared(lambda build: None)
    assert found.same
    assert not found.differences


def test_packages_units_arguments_sizes_and_licences_are_summed_up(compared: Compared) -> None:
    def change(build: TinyBuild) -> None:
        build.packages |= {"systemd": "262-2", "bash": "5.3-1"}
        del build.packages["dash"]
        build.licences["systemd"] = "LGPL-2.1-or-later"
        kernel_argument(build)
        put("/usr/lib/systemd/system/claudine.service", content=b"[Service]\n")(build)
        build.files["/usr/lib/systemd/system/new.socket"] = file(b"[Socket]\n")
        build.files["/etc/large"] = file(bytes(9000))

    found = compared(change)
    units = "/usr/lib/systemd/system"
    assert found.packages == (
        Change("bash", "", "5.3-1"),
        Change("dash", "0.5.13-1", ""),
        Change("systemd", "262-1", "262-2"),
    )
    assert found.licences == (Change("systemd", "MIT", "LGPL-2.1-or-later"),)
    assert found.kernel_arguments == (Change("init", "", "init=/bin/sh"),)
    assert found.units == (
        Change(f"{units}/claudine.service", "there", "changed"),
        Change(f"{units}/new.socket", "", "there"),
    )
    assert [change.name for change in found.sizes] == ["root"]


def test_packages_of_the_initrd_are_compared_where_there_is_a_lock(
    owner: Owner, original: Path, tmp_path: Path
) -> None:
    subjects = []
    for version in ("1", "2"):
        out = TinyBuild(owner).write(tmp_path / version)
        package = f"kmod {version} amd64 1 {'0' * 64} pool/main/k/kmod/kmod_{version}_amd64.deb\n"
        (out / f"{LABEL}.lock").write_text(f"{LOCK_FACTS}\n[root]\n\n[initrd]\n{package}\n[mkosi]\n\n[tools]\n")
        subjects.append(find_subject(out))
    assert compare_images(*subjects).packages == (Change("kmod", "1", "2"),)
    assert compare_images(find_subject(original), subjects[0]).packages == (), (
        "only one has a lock; both have a manifest"
    )


def test_an_image_without_lists_beside_it_is_compared_without_them(original: Path, tmp_path: Path) -> None:
    image = tmp_path / "alone.raw"
    image.write_bytes((original / f"{LABEL}.raw").read_bytes())
    found = compare_images(find_subject(original), find_subject(image))
    assert (found.packages, found.licences, found.same) == (None, None, True)


def test_a_changed_byte_that_belongs_to_no_file_is_found(original: Path, tmp_path: Path) -> None:
    image = bytearray((original / f"{LABEL}.raw").read_bytes())
    image[-20 * 512] ^= 1
    (tmp_path / "changed.raw").write_bytes(image)
    found = compare_images(find_subject(original), find_subject(tmp_path / "changed.raw"))
    assert [(one.place, one.what) for one in found.differences] == [(("outside the partitions",), "content")]


def test_a_file_system_that_cannot_be_read_is_compared_by_its_bytes(original: Path, tmp_path: Path) -> None:
    image = (original / f"{LABEL}.raw").read_bytes().replace(b"\xe2\xe1\xf5\xe0", b"\xe2\xe1\xf5\xe1", 1)
    (tmp_path / "changed.raw").write_bytes(image)
    found = compare_images(find_subject(original), find_subject(tmp_path / "changed.raw"))
    assert [(one.place, one.what) for one in found.differences] == [(("root",), "unreadable")]
    assert "no erofs" in found.differences[0].detail


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "there is no"), (b"", "not a disk image of ours"), (bytes(4096), "no GPT header")]
)
def test_what_is_no_image_is_refused(original: Path, tmp_path: Path, content: bytes | None, complaint: str) -> None:
    if content is not None:
        (tmp_path / "x.raw").write_bytes(content)
    with pytest.raises(BuilderError, match=complaint):
        compare_images(find_subject(original), find_subject(tmp_path / "x.raw"))
