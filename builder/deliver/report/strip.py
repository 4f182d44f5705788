"""The disk from its first to its last byte, to scale, as a strip with numbered parts.

Positions are in percent of the strip's width, so that it fits any page while its letters keep their size.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from builder.verify import Unchecked
from builder.verify.formats.gpt import Partition
from builder.verify.layout import ESP, MODEL, ROOT, SIGNATURE, STATE, VERITY

# What each type of partition is called in the page's style, and what it holds.
KINDS = {
    ESP: ("esp", "boot loader and kernel image, for the firmware"),
    ROOT: ("root", "the system, read-only"),
    VERITY: ("verity", "the system's hash tree"),
    SIGNATURE: ("signature", "the signature of its root hash"),
    MODEL: ("model", "the language model, a signed image of its own"),
    STATE: ("state", "what a machine keeps, encrypted"),
}
UNKNOWN = ("unknown", "nothing that belongs here")
# A part of a few kilobytes would not be seen; on a phone, numbers that are nearer to each other would run together.
LEAST_WIDTH = 0.25
LEAST_GAP = 5.0


@dataclass(frozen=True)
class Part:
    """A partition on the strip; `label_at` is where its number stands, `share` its part of the disk in percent."""

    number: int
    partition: Partition
    kind: str
    holds: str
    at: float
    width: float
    label_at: float


@dataclass(frozen=True)
class Strip:
    """The parts in the order of the disk, and what nobody has checked."""

    size_bytes: int
    parts: tuple[Part, ...]
    unchecked: tuple[Unchecked, ...]


def disk_strip(size_bytes: int, partitions: Iterable[Partition], unchecked: tuple[Unchecked, ...]) -> Strip:
    """Lay the partitions out on a strip that stands for `size_bytes`."""
    ordered = sorted(partitions, key=lambda partition: (partition.offset_bytes, partition.number))
    spans = [_span(partition, size_bytes) for partition in ordered]
    labels = _apart([at + width / 2 for at, width in spans])
    parts = [
        Part(number, partition, *KINDS.get(partition.type, UNKNOWN), at, width, label)
        for number, (partition, (at, width), label) in enumerate(zip(ordered, spans, labels, strict=True), 1)
    ]
    return Strip(size_bytes, tuple(parts), unchecked)


def _span(partition: Partition, size_bytes: int) -> tuple[float, float]:
    """Return where a partition begins and how wide it is; a hostile table may have it begin behind the disk."""
    at = min(100 * partition.offset_bytes / max(size_bytes, 1), 100 - LEAST_WIDTH)
    width = min(max(100 * partition.size_bytes / max(size_bytes, 1), LEAST_WIDTH), 100 - at)
    return round(at, 3), round(width, 3)


def _apart(places: list[float]) -> list[float]:
    """Move the numbers apart where they would touch, to the right first, and back where the strip ends."""
    gap = min(LEAST_GAP, 96 / max(len(places), 1))
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap if moved else 2))
    limit = 98.0
    for number in reversed(range(len(moved))):
        moved[number] = limit = min(moved[number], limit)
        limit -= gap
    return [round(place, 3) for place in moved]
