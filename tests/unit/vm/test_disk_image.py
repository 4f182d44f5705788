import json
from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.toolchain import Toolchain
from builder.vm.disk_image import efi_partition_offset, enrolled_keys, latest_image, open_disk_image
from tests.support.gpt_image import gpt_image
from tests.unit.vm.conftest import FakeTool


def test_a_whole_image_is_told_apart_by_path_size_and_time(image_file: Path) -> None:
    image = open_disk_image(image_file)
    assert (image.path, image.size_bytes) == (image_file, 200 * 512)
    assert image.mtime_ns == image_file.stat().st_mtime_ns


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "there is no image"),
        (b"", "has no GPT partition table"),
        (b"SHA256 (a) = 0\n", "has no GPT partition table"),
        (bytes(4096), "has no GPT partition table"),
        (gpt_image()[:1000], "is cut short"),
        (gpt_image(covered_sectors=1 << 21), "has 102,400 bytes of the 1,073,741,824"),
    ],
)
def test_what_is_no_image_is_refused_with_the_reason(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    file = tmp_path / "image.raw"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BuilderError, match=complaint) as caught:
        open_disk_image(file)
    assert caught.value.hint


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuilderError, match="is a directory"):
        open_disk_image(tmp_path)


def test_the_latest_image_is_what_build_json_names(tmp_path: Path) -> None:
    (tmp_path / "a.raw").touch()
    (tmp_path / "b.raw").touch()
    (tmp_path / "build.json").write_text(json.dumps({"image": "b.raw"}))
    assert latest_image(tmp_path) == tmp_path / "b.raw"


def test_the_latest_image_without_build_json_is_the_only_one(tmp_path: Path) -> None:
    with pytest.raises(BuilderError, match="no built image"):
        latest_image(tmp_path)
    (tmp_path / "a.raw").touch()
    assert latest_image(tmp_path) == tmp_path / "a.raw"
    (tmp_path / "b.raw").touch()
    with pytest.raises(BuilderError, match=r"more than one image: a\.raw, b\.raw"):
        latest_image(tmp_path)


def test_the_efi_partition_is_found_in_the_partition_table(tmp_path: Path) -> None:
    file = tmp_path / "image.raw"
    file.write_bytes(gpt_image())
    assert efi_partition_offset(file) == 40 * 512
    file.write_bytes(gpt_image(esp=False))
    assert efi_partition_offset(file) is None


def test_enrolled_keys_are_read_from_the_efi_partition(
    toolchain: Toolchain, image_file: Path, fake_tool: FakeTool
) -> None:
    fake_tool(
        "mcopy",
        f"""
assert f"{image_file}@@{40 * 512}" in arguments
for source in arguments[3:-1]:
    (pathlib.Path(arguments[-1]) / source.rsplit("/")[-1]).write_text(source)
""",
    )
    image = open_disk_image(image_file)
    assert len(enrolled_keys(toolchain, image)) == 64
    fake_tool("mcopy", "sys.exit('no such file')")
    assert enrolled_keys(toolchain, image) == ""
