"""The model image as the real tools make it, and the list of architectures as the packaged llama.cpp has it."""

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from builder.cli import cli
from builder.errors import BuilderError
from builder.keys import KeySet, create_keys
from builder.model import ModelImage, build_model_image
from builder.model.architectures import ARCHITECTURES, NOT_FOR_TALKING
from builder.profile import CatalogueEntry, load_model
from builder.run import run
from builder.toolchain import Toolchain

SECTOR_BYTES = 512
ROOT, VERITY, SIGNATURE = (
    "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
    "2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5",
    "41092B05-9FC8-4523-994F-2DEF0408B176",
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeySet:
    return create_keys(tmp_path_factory.mktemp("keys") / "keys", "Test")


@pytest.fixture(scope="module")
def entry(model: Path, tmp_path_factory: pytest.TempPathFactory) -> CatalogueEntry:
    folder = tmp_path_factory.mktemp("models")
    model.chmod(0o600)
    command = ["model", "add", str(model), "--licence", "Apache-2.0", "--to", str(folder)]
    assert CliRunner().invoke(cli, command, catch_exceptions=False).exit_code == 0
    return load_model("tiny", [folder])


def build(entry: CatalogueEntry, keys: KeySet, toolchain: Toolchain, cache: Path) -> ModelImage:
    cache.mkdir(parents=True)
    return build_model_image(entry, keys, dataclasses.replace(toolchain, cache=cache))


@pytest.fixture(scope="module")
def image(
    entry: CatalogueEntry, keys: KeySet, toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory
) -> ModelImage:
    return build(entry, keys, toolchain, tmp_path_factory.mktemp("one") / "cache")


def parts(image: Path, toolchain: Toolchain) -> dict[str, bytes]:
    """The contents of the image's partitions, by their types."""
    table = json.loads(run(toolchain.box(["sfdisk", "--json", str(image)])).stdout)["partitiontable"]
    content = image.read_bytes()
    return {
        entry["type"]: content[entry["start"] * SECTOR_BYTES :][: entry["size"] * SECTOR_BYTES]
        for entry in table["partitions"]
    }


def test_the_same_inputs_give_the_same_bytes_elsewhere(
    image: ModelImage, entry: CatalogueEntry, keys: KeySet, toolchain: Toolchain, tmp_path: Path
) -> None:
    again = build(entry, keys, toolchain, tmp_path / "another/place")
    assert again.path != image.path
    assert again.path.read_bytes() == image.path.read_bytes()
    assert again.root_hash == image.root_hash


def test_the_owners_key_has_signed_the_root_hash(
    image: ModelImage, keys: KeySet, toolchain: Toolchain, tmp_path: Path
) -> None:
    signed = json.loads(parts(image.path, toolchain)[SIGNATURE].rstrip(b"\0"))
    assert signed["rootHash"] == image.root_hash
    assert signed["certificateFingerprint"] == keys.verity.certificate.sha256


def test_the_hash_tree_ends_in_the_root_hash(image: ModelImage, toolchain: Toolchain) -> None:
    """As the kernel computes it (dm-verity, format 1): the salt, then a block, up to a single hash."""
    found = parts(image.path, toolchain)
    superblock = found[VERITY][:512]
    block_bytes = int.from_bytes(superblock[64:68], "little")
    salt = superblock[88 : 88 + int.from_bytes(superblock[80:82], "little")]
    level = found[ROOT]
    while len(level) > block_bytes or level is found[ROOT]:
        blocks = [level[start : start + block_bytes] for start in range(0, len(level), block_bytes)]
        level = b"".join(hashlib.sha256(salt + block.ljust(block_bytes, b"\0")).digest() for block in blocks)
    assert hashlib.sha256(salt + level.ljust(block_bytes, b"\0")).hexdigest() == image.root_hash


def test_weights_description_and_licence_are_inside_for_everybody_to_read(
    image: ModelImage, entry: CatalogueEntry, toolchain: Toolchain, model: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root.erofs"
    root.write_bytes(parts(image.path, toolchain)[ROOT])
    out = tmp_path / "root"
    run(toolchain.box(["fsck.erofs", f"--extract={out}", "--preserve-perms", "--no-preserve-owner", str(root)]))
    assert sorted(path.name for path in out.iterdir()) == ["LICENCE", "model.gguf", "model.json"]
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o644}
    assert (out / "model.gguf").read_bytes() == model.read_bytes()
    description = json.loads((out / "model.json").read_text())
    assert (description["name"], description["weights_bytes"]) == ("tiny", model.stat().st_size)
    assert "Apache License" in (out / "LICENCE").read_text()
    owners = run(toolchain.box(["dump.erofs", "--path=/model.gguf", str(root)])).stdout
    assert "Uid: 0" in owners.replace("   ", " ")


def test_the_command_writes_the_image_where_it_is_told(
    entry: CatalogueEntry, keys: KeySet, tmp_path: Path, image: ModelImage
) -> None:
    target = tmp_path / "given.raw"
    command = ["model", "build", str(entry.path), "--keys", str(keys.directory), "--output", str(target)]
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert done.stdout == f"{target}\n"
    assert target.read_bytes() == image.path.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["given.raw"]


def test_without_the_licences_text_there_is_no_image(
    entry: CatalogueEntry, keys: KeySet, toolchain: Toolchain, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(entry.path.read_text().replace("/usr/share/common-licenses/Apache-2.0", "/nowhere/LICENCE"))
    with pytest.raises(BuilderError, match="/nowhere/LICENCE is not a file"):
        build(load_model(str(path), []), keys, toolchain, tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache/models").iterdir()] == []


def test_the_packaged_library_knows_the_listed_architectures_and_no_others(toolchain: Toolchain) -> None:
    (library,) = (toolchain.tools_tree / "usr/lib/x86_64-linux-gnu").glob("libllama.so.*.*.*")
    content = library.read_bytes()
    listed = ARCHITECTURES | NOT_FOR_TALKING
    assert {name for name in listed if f"{name}\0".encode() not in content} == set()
    # The names stand one after the other, but for those that are the end of a longer one.
    start = content.index(b"\0clip\0llama\0")
    names = {name.decode() for name in content[start : content.index(b"\0(unknown)\0", start)].split(b"\0") if name}
    assert names - listed == set()
    assert len(listed - names) < 10
    assert not ARCHITECTURES & NOT_FOR_TALKING
