"""Thousands of malformed volumes and programs: each is read or refused, and nothing else ever happens."""

import json
import struct
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some

from builder.verify import tpm
from builder.verify.claims import CHECKS
from builder.verify.claims.pcr_signature import read_signatures
from builder.verify.context import Context, Trusted
from builder.verify.disk import open_disk
from builder.verify.formats import pe
from builder.verify.formats.fat import Extent, File, read_volume
from builder.verify.formats.uki import assignments, read_unified_kernel
from builder.verify.layout import ESP
from builder.verify.predict import predicted_pcrs
from tests.support.model_image import Owner
from tests.support.tiny_boot import root_hash_of, tiny_boot
from tests.support.tiny_fat import SECTOR
from tests.support.tiny_image import LABEL, tiny_system
from tests.support.tiny_program import HEADERS, SECTIONS_AT, START, signed
from tests.unit.verify.hostile import Changes, changed, changes, fuzz, reader, refused_or

OWNER = Owner("Ada")
SYSTEM = tiny_system(OWNER)
IMAGE = SYSTEM.to_bytes()
BOOT = tiny_boot(OWNER, LABEL, root_hash_of(SYSTEM))
VOLUME = BOOT.volume()
PARTITION = VOLUME.to_bytes()
KERNEL = signed(BOOT.kernel.to_bytes(), OWNER)
DATA = VOLUME.offset("")
LINES = ["A=1", "B='", '"', "\\", "=", "#", "C=\n"]
# The record and the certificates that somebody may have changed as well are no part of these.
BOOT_CHECKS = [check for check in CHECKS if check.__module__.rpartition(".")[2] not in ("gpt", "root_hash", "model")]


def read_everything(content: bytes) -> None:
    volume = read_volume(reader(content), len(content))
    for file in volume.files.values():
        assert len(file.read(0, file.size_bytes)) == file.size_bytes
    assert all(0 <= extent.offset_bytes <= len(content) for extent in volume.unused)


def read_program(content: bytes) -> None:
    file = File("kernel", len(content), (Extent(0, len(content)),), 0, reader(content))
    kernel = read_unified_kernel(file)
    pe.signatures(file.read, kernel.image)
    pe.authenticode_digest(file.read, kernel.image)
    pe.computed_checksum(file.read, kernel.image)
    for profile in kernel.profiles:
        tpm.kernel_phases(kernel, profile)


@fuzz
@given(some.binary(max_size=4 * SECTOR))
def test_noise_where_a_volume_or_a_program_belongs(noise: bytes) -> None:
    refused_or(lambda: read_everything(noise))
    refused_or(lambda: read_everything(PARTITION[:SECTOR] + noise.ljust(len(PARTITION) - SECTOR, b"\0")))
    refused_or(lambda: read_everything(PARTITION[:DATA] + noise.ljust(len(PARTITION) - DATA, b"\0")))
    refused_or(lambda: read_program(noise.ljust(1024, b"\0")))
    refused_or(lambda: read_program(KERNEL[:START] + noise + KERNEL[START:]))


@fuzz
@given(changes)
def test_boot_sectors_that_lie_in_both_copies(numbers: Changes) -> None:
    boot = changed(PARTITION[:SECTOR], numbers)
    content = bytearray(PARTITION)
    content[:SECTOR] = content[6 * SECTOR : 7 * SECTOR] = boot
    refused_or(lambda: read_everything(bytes(content)))


@fuzz
@given(changes)
def test_tables_that_lie_in_both_copies(numbers: Changes) -> None:
    half = (DATA - 32 * SECTOR) // 2
    table = changed(PARTITION[32 * SECTOR : 32 * SECTOR + half], numbers)
    refused_or(lambda: read_everything(PARTITION[: 32 * SECTOR] + 2 * table + PARTITION[DATA:]))


@fuzz
@given(changes)
def test_directories_that_lie(numbers: Changes) -> None:
    end = VOLUME.offset(min(VOLUME.files, key=VOLUME.offset))
    content = PARTITION[:DATA] + changed(PARTITION[DATA:end], numbers) + PARTITION[end:]
    refused_or(lambda: read_everything(content))


@fuzz
@given(changes, changes)
def test_programs_that_lie_in_their_headers(header: Changes, table: Changes) -> None:
    head = changed(KERNEL[:SECTIONS_AT], header)[:SECTIONS_AT] + changed(KERNEL[SECTIONS_AT:HEADERS], table)
    refused_or(lambda: read_program(head + KERNEL[HEADERS:]))


@fuzz
@given(changes, some.integers(0, len(KERNEL)))
def test_programs_that_lie_or_are_cut_short(numbers: Changes, length: int) -> None:
    refused_or(lambda: read_program(changed(KERNEL, numbers)))
    refused_or(lambda: read_program(KERNEL[:length]))


@fuzz
@given(
    some.text(max_size=200) | some.lists(some.sampled_from(["A=1", "B='", '"', "\\", "=", "#", "C=\n"])).map("".join)
)
def test_descriptions_that_are_none(text: str) -> None:
    refused_or(lambda: assignments(text, 0))


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=9),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(["sha256", "pol", "sig"]), inner),
    max_leaves=12,
)


@fuzz
@given(some.text(max_size=99) | json_values.map(json.dumps))
def test_signatures_of_pcr_11_that_are_none(text: str) -> None:
    refused_or(lambda: read_signatures(text, 0))


@fuzz
@given(changes, some.dictionaries(some.sampled_from(["files", "command_lines", "uki", "partitions"]), json_values))
def test_whole_images_with_partitions_and_records_that_lie(numbers: Changes, record: dict[str, object]) -> None:
    start = SYSTEM.offset(ESP)
    content = IMAGE[:start] + changed(PARTITION, numbers) + IMAGE[start + len(PARTITION) :]
    context = Context(Path(), (Trusted("Ada", None, OWNER.certificate),), record)
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with open_disk(Path(file.name)) as disk:
            predicted_pcrs(disk, [OWNER.certificate])
            for check in BOOT_CHECKS:
                findings = list(check(disk, context))
                assert all(finding.found.isprintable() and finding.where.isprintable() for finding in findings)


def test_the_smallest_and_the_largest_numbers_in_each_field_of_a_section() -> None:
    """One after the other, what a random change seldom meets."""
    for field in range(8, 40, 4):
        for number in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFE00):
            content = bytearray(KERNEL)
            struct.pack_into("<I", content, SECTIONS_AT + field, number)
            refused_or(lambda content=bytes(content): read_program(content))  # type: ignore[misc]
