"""The partition table: both copies whole and alike, nothing unknown in it, nothing beside it."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from uuid import UUID

from builder.verify import ids
from builder.verify.claim import DISK, Claim, Trial
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding, Unchecked
from builder.verify.formats import gpt
from builder.verify.formats.gpt import SECTOR_BYTES, Partition, Table
from builder.verify.formats.malformed import MalformedError
from builder.verify.layout import ROOT, STATE, SYSTEM, VERITY, Kind

CLAIM = Claim(
    "gpt",
    expected="two whole and equal partition tables, known partitions that do not overlap, and zeroes around them",
    proves="The disk has the parts that an image of ClaudineOS has, and nothing is hidden beside them.",
    fails="The partition table is damaged, or there is something on the disk that does not belong there.",
)


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim for the whole disk."""
    yield from check_table(CLAIM, disk, SYSTEM, ids.system_seed)


def check_table(
    claim: Claim, disk: Disk, kinds: dict[str, Kind], seed_of: Callable[[str], UUID], title: str = DISK
) -> Iterator[Finding]:
    """Try the claim for a disk that may have these kinds of partitions, with the seed that its root's label gives."""
    trial = Trial(claim, disk, title)
    with trial.trying():
        mbr = disk.read(0, SECTOR_BYTES)
        if mbr != gpt.protective_mbr(disk.size_bytes):
            trial.wrong("a first sector that is not an empty protective MBR for a disk of this length", 0)
    with trial.trying():
        table = disk.table
        _check_copies(trial, table)
        _check_partitions(trial, table, kinds)
        name = _check_labels(trial, table, kinds)
        _check_ids(trial, table, seed_of(name))
        _check_gaps(trial, table)
    partitions = () if trial.broken else disk.table.partitions
    yield from trial.findings(f"{len(partitions)} partitions: " + ", ".join(kinds[p.type].title for p in partitions))


def unchecked(disk: Disk) -> tuple[Unchecked, ...]:
    """Return the parts of the disk that no claim is about."""
    try:
        partitions = disk.table.partitions
    except MalformedError:
        return (Unchecked(disk.start, disk.size_bytes, "there is no partition table to go by"),)
    spans = [
        Unchecked(state.offset_bytes, state.size_bytes, "what this machine keeps, encrypted with a key in its TPM")
        for state in partitions
        if state.type == STATE
    ]
    if disk.is_device:
        start = max((partition.end_bytes for partition in partitions), default=0)
        size = disk.size_bytes - (gpt.ENTRIES_SECTORS + 1) * SECTOR_BYTES - start
        why = "room behind the last partition: the disk has there what it had before the image was written to it"
        spans += [Unchecked(start, size, why)] if size > 0 else []
    return tuple(spans)


def _check_copies(trial: Trial, table: Table) -> None:
    """Compare the table with its copy at the end of the disk."""
    disk, header = trial.disk, table.header
    last = disk.size_bytes // SECTOR_BYTES - 1
    if disk.size_bytes % SECTOR_BYTES or header.other != last:
        trial.wrong(f"a copy at sector {header.other}", SECTOR_BYTES + 32, f"a copy in the last sector, {last}")
    with trial.trying():
        copy = gpt.read_table(disk.read, last)
        places = (copy.header.other, header.entries, copy.header.entries)
        if places != (1, 2, last - gpt.ENTRIES_SECTORS):
            trial.wrong("the copy or the entries are not where they belong", SECTOR_BYTES)
        if (copy.header.disk_id, copy.partitions) != (header.disk_id, table.partitions):
            trial.wrong("the copy lists something else", last * SECTOR_BYTES)
        ranges = (copy.header.first_usable, copy.header.last_usable)
        if ranges != (header.first_usable, header.last_usable):
            trial.wrong("the copy has another range for partitions", last * SECTOR_BYTES + 40)
    # Up to the entries' copies on both sides, whether these are where they belong or not.
    if not 2 + gpt.ENTRIES_SECTORS <= header.first_usable <= header.last_usable < last - gpt.ENTRIES_SECTORS:
        trial.wrong(f"sectors {header.first_usable} to {header.last_usable} for partitions", SECTOR_BYTES + 40)


def _check_partitions(trial: Trial, table: Table, kinds: dict[str, Kind]) -> None:
    header = table.header
    usable = range(header.first_usable * SECTOR_BYTES, (header.last_usable + 1) * SECTOR_BYTES)
    for partition in table.partitions:
        offset = header.entries * SECTOR_BYTES + (partition.number - 1) * gpt.ENTRY_BYTES
        kind = kinds.get(partition.type)
        if kind is None:
            trial.wrong(f"partition {partition.number} of unknown type {partition.type}", offset)
        elif partition.attributes not in kind.attributes:
            trial.wrong(f"attributes {partition.attributes:#x} of the partition {kind.title}", offset + 48)
        if not usable.start <= partition.offset_bytes <= partition.end_bytes <= usable.stop:
            trial.wrong(f"partition {partition.number} outside the range for partitions", offset + 32)
    types = [partition.type for partition in table.partitions]
    if len(set(types)) != len(types):
        trial.wrong("two partitions of the same type", header.entries * SECTOR_BYTES)
    ordered = _by_offset(table)
    for before, after in pairwise(ordered):
        if before.end_bytes > after.offset_bytes:
            trial.wrong(f"partitions {before.number} and {after.number} overlap", after.offset_bytes)


def _check_labels(trial: Trial, table: Table, kinds: dict[str, Kind]) -> str:
    """Check the labels, by which systemd and the runtime find some of the partitions; return that of the root."""
    known = {kinds[p.type].title: p for p in table.partitions if p.type in kinds}
    name = known["root"].label if "root" in known else ""
    for partition in known.values():
        pattern = kinds[partition.type].label
        if not pattern.endswith("*"):
            expected = pattern.format(name=name)
            fits = partition.label == expected
        else:
            expected = pattern
            fits = partition.label.startswith(pattern[:-1])
        if not (fits and partition.label):
            trial.wrong(f"a label {partition.label!r}", _entry(table, partition) + 56, f"the label {expected}")
    return name


def _check_ids(trial: Trial, table: Table, seed: UUID) -> None:
    if table.header.disk_id != ids.disk_id(seed):
        trial.wrong(f"a disk with the id {table.header.disk_id}", SECTOR_BYTES + 56, ids.disk_id(seed))
    for partition in table.partitions:
        expected = ids.partition_id(seed, partition.type)
        # Those of the root and the hash tree are compared with the root hash; a machine makes its own for its state.
        if partition.type not in (ROOT, VERITY, STATE) and partition.id != expected:
            trial.wrong(f"a partition with the id {partition.id}", _entry(table, partition) + 16, expected)


def _check_gaps(trial: Trial, table: Table) -> None:
    """Look for bytes that are neither of the table nor in a partition and are not zero."""
    disk = trial.disk
    begin = (2 + gpt.ENTRIES_SECTORS) * SECTOR_BYTES
    stop = disk.size_bytes // SECTOR_BYTES * SECTOR_BYTES - (1 + gpt.ENTRIES_SECTORS) * SECTOR_BYTES
    for partition in _by_offset(table):
        trial.check_zero(begin, partition.offset_bytes - begin, "data outside the partitions")
        begin = max(begin, partition.end_bytes)
    if not disk.is_device:
        trial.check_zero(begin, stop - begin, "data outside the partitions")


def _entry(table: Table, partition: Partition) -> int:
    return table.header.entries * SECTOR_BYTES + (partition.number - 1) * gpt.ENTRY_BYTES


def _by_offset(table: Table) -> list[Partition]:
    return sorted(table.partitions, key=lambda partition: partition.offset_bytes)
