"""A disk image as a tree of nodes: partitions, the files in them, and the sections of kernel images.

image        ESP              /EFI/Linux/….efi    .cmdline, .initrd (with its files), …
             root             /usr/bin/…
             model            root, root-verity, …: a disk image of its own
             outside the partitions
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from builder.compare.files import erofs_files, initrd_files
from builder.compare.node import Node
from builder.compare.source import Extents, Source, part
from builder.verify.formats.fat import read_volume
from builder.verify.formats.gpt import Partition, read_table
from builder.verify.formats.malformed import MalformedError
from builder.verify.formats.pe import read_image
from builder.verify.layout import ESP, MODEL, ROOT, SYSTEM

OUTSIDE = "outside the partitions"
KERNEL_IMAGES = "EFI/Linux/"
# An initrd is unpacked in memory.
MAX_INITRD_BYTES = 256 << 20

T = TypeVar("T")
Inside = Callable[[], Mapping[str, Node]]


def image_node(source: Source, name: str = "image") -> Node:
    """Return a disk image, or an image within one, as a node."""
    return Node(name, part(source, 0, source.size_bytes), inside=partial(_partitions, source))


def kernel_image_node(source: Source, name: str) -> Node:
    """Return a signed kernel image, or another program for the firmware, as a node."""
    return Node(name, part(source, 0, source.size_bytes), inside=partial(_sections, source))


def partition_title(partition: Partition) -> str:
    """Return what a person calls a partition: by its type, since labels change with each version."""
    kind = SYSTEM.get(partition.type)
    return kind.title if kind else f"partition {partition.label or partition.type}"


def _partitions(source: Source) -> Mapping[str, Node]:
    partitions = sorted(read_table(source.read).partitions, key=lambda partition: partition.offset_bytes)
    nodes = {key: _partition(source, one, key) for key, one in _numbered(partitions, partition_title)}
    gaps, end = [], 0
    for one in partitions:
        gaps.append((end, max(0, one.offset_bytes - end)))
        end = max(end, one.end_bytes)
    if end > source.size_bytes:
        raise MalformedError("a partition that ends behind the disk", end)
    gaps.append((end, source.size_bytes - end))
    nodes[OUTSIDE] = Node(OUTSIDE, Extents(source, tuple(gaps)))
    return nodes


def _partition(source: Source, partition: Partition, name: str) -> Node:
    content = part(source, partition.offset_bytes, partition.size_bytes)
    facts = {
        "label": partition.label,
        "id": partition.id,
        "attributes": f"{partition.attributes:#x}",
        "size": f"{partition.size_bytes} bytes",
    }
    inside: dict[str, Inside] = {
        ESP: partial(_esp_files, content),
        ROOT: partial(erofs_files, content),
        MODEL: partial(_partitions, content),
    }
    return Node(name, content, facts, inside.get(partition.type))


def _esp_files(source: Source) -> Mapping[str, Node]:
    volume = read_volume(source.read, source.size_bytes)
    nodes = {path: Node(f"/{path}", None, {"type": "directory"}) for path in volume.directories}
    kernels = [path for path in volume.files if path.startswith(KERNEL_IMAGES)]
    for path, file in volume.files.items():
        # The only kernel image there is belongs to that of the other image, whatever version its name says.
        key = KERNEL_IMAGES if kernels == [path] else path
        if path.lower().endswith(".efi"):
            nodes[key] = kernel_image_node(file, f"/{path}")
        else:
            nodes[key] = Node(f"/{path}", part(file, 0, file.size_bytes))
    return nodes


def _sections(source: Source) -> Mapping[str, Node]:
    image = read_image(source.read, source.size_bytes)
    nodes = {}
    for key, section in _numbered(image.sections, lambda section: section.name):
        content = part(source, section.offset_bytes, section.size_bytes)
        nodes[key] = Node(key, content, inside=_inside_section(section.name, content))
    signature = part(source, image.signatures_offset, source.size_bytes - image.signatures_offset)
    return nodes | {"signature": Node("signature", signature)}


def _inside_section(name: str, content: Extents) -> Inside | None:
    if name != ".initrd" or content.size_bytes > MAX_INITRD_BYTES:
        return None
    return lambda: initrd_files(content.read(0, content.size_bytes))


def _numbered(things: Iterable[T], name: Callable[[T], str]) -> list[tuple[str, T]]:
    """Pair each thing with a name that it alone has: of several with the same, the second gets `(2)`."""
    seen: Counter[str] = Counter()
    found = []
    for thing in things:
        title = name(thing)
        seen[title] += 1
        found.append((title if seen[title] == 1 else f"{title} ({seen[title]})", thing))
    return found
