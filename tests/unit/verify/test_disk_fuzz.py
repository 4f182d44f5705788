"""Thousands of malformed structures: each is read or refused, and nothing else ever happens.

For a long run: `CLAUDINEOS_FUZZ=100000 pytest tests/unit/verify/test_disk_fuzz.py`.
"""

import base64
import json
import struct
import tempfile
import zlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some

from builder.verify.claims import gpt, model, root_hash, root_signature
from builder.verify.context import Context, Trusted
from builder.verify.disk import open_disk
from builder.verify.formats import verity
from builder.verify.formats.cms import signed_content, verify_signed_data
from builder.verify.formats.erofs import find_file
from builder.verify.formats.gpt import read_table
from builder.verify.layout import SIGNATURE, VERITY
from tests.support.model_image import Owner
from tests.support.tiny_disk import SECTOR
from tests.support.tiny_image import tiny_erofs, tiny_system
from tests.unit.verify.hostile import Changes, changed, changes, fuzz, reader, refused_or

OWNER = Owner("Ada")
SYSTEM = tiny_system(OWNER)
IMAGE = SYSTEM.to_bytes()
SIGNED = base64.b64decode(json.loads(SYSTEM.part(SIGNATURE).content.rstrip(b"\0"))["signature"])
FILES = tiny_erofs({"model.gguf": b"weights" * 600, "model.json": b'{"sha256": ""}'})
TREE = verity.BLOCK_BYTES


@fuzz
@given(some.binary(max_size=4 * SECTOR))
def test_noise(noise: bytes) -> None:
    for read in (
        lambda: read_table(reader(noise)),
        lambda: read_table(reader(bytes(SECTOR) + b"EFI PART" + noise)),
        lambda: verity.read_superblock(noise.ljust(TREE, b"\0")),
        lambda: verity.read_superblock((b"verity\0\0" + noise).ljust(TREE, b"\0")[:TREE]),
        lambda: find_file(reader(noise), "model.gguf"),
        lambda: verify_signed_data(noise, b"", [OWNER.certificate]),
        lambda: signed_content(noise),
    ):
        refused_or(read)


def with_right_checksums(table: bytearray) -> bytes:
    struct.pack_into("<I", table, SECTOR + 88, zlib.crc32(table[2 * SECTOR : 34 * SECTOR]))
    struct.pack_into("<I", table, SECTOR + 16, 0)
    struct.pack_into("<I", table, SECTOR + 16, zlib.crc32(table[SECTOR : SECTOR + 92]))
    return bytes(table)


@fuzz
@given(changes, changes)
def test_tables_that_lie_with_right_checksums(header: Changes, entries: Changes) -> None:
    table = bytearray(IMAGE[: 34 * SECTOR])
    table[SECTOR : SECTOR + 92] = changed(IMAGE[SECTOR : SECTOR + 92], header)
    table[2 * SECTOR : 3 * SECTOR] = changed(IMAGE[2 * SECTOR : 3 * SECTOR], entries)
    content = with_right_checksums(table) + IMAGE[34 * SECTOR :]
    refused_or(lambda: read_table(reader(content)))
    check_all(content)


@fuzz
@given(changes)
def test_images_with_numbers_that_lie(numbers: Changes) -> None:
    check_all(changed(IMAGE, numbers))


@fuzz
@given(some.integers(0, len(IMAGE)))
def test_images_cut_short(length: int) -> None:
    check_all(IMAGE[:length])


@fuzz
@given(changes)
def test_signatures_that_lie(numbers: Changes) -> None:
    content = changed(SIGNED, numbers)
    if content != SIGNED:
        refused_or(lambda: verify_signed_data(content, b"0" * 64, [OWNER.certificate]))
        refused_or(lambda: verify_signed_data(content, None, [OWNER.certificate]))
    refused_or(lambda: signed_content(content))


@fuzz
@given(changes)
def test_file_systems_that_lie(numbers: Changes) -> None:
    content = changed(FILES[:8192], numbers) + FILES[8192:]

    def read_all() -> None:
        for offset, size in find_file(reader(content), "model.gguf").spans:
            reader(content)(offset, size)

    refused_or(read_all)


@fuzz
@given(changes)
def test_superblocks_that_lie(numbers: Changes) -> None:
    tree = changed(IMAGE[SYSTEM.offset(VERITY) :][:TREE], numbers)
    refused_or(lambda: verity.levels(verity.read_superblock(tree).data_blocks))


def check_all(content: bytes) -> None:
    """Every claim about the disk ends with findings, whatever is on it, and these are fit for a terminal."""
    context = Context(Path(), (Trusted("Ada", None, OWNER.certificate),), None)
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with open_disk(Path(file.name)) as disk:
            gpt.unchecked(disk)
            for check in (gpt.check, root_hash.check, root_signature.check, model.check):
                findings = list(check(disk, context))
                assert findings
                assert all(finding.found.isprintable() and finding.where.isprintable() for finding in findings)
                assert content == IMAGE or len(findings) < 300
