"""Whether two builds of one image are the same, part by part.

With the owner's keys, every byte is compared. Without them, other keys have signed the second build
(`builder.keys.stand_in`), and what only the owner's keys can make is left out, in both: see `signatures`. What is left
out has the same place and length in both; otherwise it is compared after all.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.compare.difference import Difference
from builder.compare.image import image_node, kernel_image_node
from builder.compare.node import Node, compare, inside
from builder.compare.signatures import (
    Digests,
    Signed,
    Unsigned,
    disk_signatures,
    program_signatures,
    signed_digests,
)
from builder.compare.source import Memory, Source, part
from builder.verify.disk import Disk, open_disk
from builder.verify.formats.malformed import MalformedError

_DISK, _PROGRAM, _SBOM = ".raw", ".efi", ".cdx.json"
_MAX_SBOM_BYTES = 64 << 20
_SERIAL_NUMBER = re.compile(rb'"serialNumber": "[^"]*"')


@dataclass(frozen=True)
class Part:
    """A partition of the image, or a file beside it, and what differs in it."""

    name: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Builds:
    """What was compared, and what was left out; the offsets of that are from the start of the image."""

    parts: tuple[Part, ...]
    left_out: tuple[Signed, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not any(part.differences for part in self.parts)


def compare_builds(original: Path, rebuilt: Path, names: Iterable[str], *, signatures: bool) -> Builds:
    """Compare the files of these names in two directories of artifacts, and the disk image among them by partitions.

    Without `signatures`, what only the owner's keys can make is left out.
    """
    parts: list[Part] = []
    left_out: tuple[Signed, ...] = ()
    digests: tuple[Digests, ...] = ({}, {})
    # The image first: what other files say of it is left out with it.
    for name in sorted(names, key=lambda name: (not name.endswith(_DISK), name)):
        paths = original / name, rebuilt / name
        if not all(path.is_file() for path in paths):
            parts.append(_only_one(name, "removed" if paths[0].is_file() else "added"))
            continue
        with open_disk(paths[0]) as a, open_disk(paths[1]) as b:
            if not name.endswith(_DISK):
                parts.append(Part(name, tuple(compare(*_nodes(name, (a, b), digests, signatures=signatures), (name,)))))
                continue
            if not signatures:
                left_out = _common(disk_signatures, a, b)
                digests = signed_digests(a), signed_digests(b)
            parts += _partitions(image_node(Unsigned(a, left_out)), image_node(Unsigned(b, left_out)))
    return Builds(tuple(parts), left_out)


def _only_one(name: str, what: str) -> Part:
    return Part(name, (Difference((name,), what, "", "", "only one of the builds has this file"),))


def _nodes(name: str, disks: tuple[Disk, Disk], digests: tuple[Digests, ...], *, signatures: bool) -> tuple[Node, Node]:
    a, b = disks
    if name.endswith(_PROGRAM):
        places = () if signatures else _common(program_signatures, a, b)
        return kernel_image_node(Unsigned(a, places), name), kernel_image_node(Unsigned(b, places), name)
    if name.endswith(_SBOM) and not signatures and max(a.size_bytes, b.size_bytes) <= _MAX_SBOM_BYTES:
        return _sbom(a, name, digests[0]), _sbom(b, name, digests[1])
    return Node(name, part(a, 0, a.size_bytes)), Node(name, part(b, 0, b.size_bytes))


def _common(find: Callable[[Source], Iterator[Signed]], a: Source, b: Source) -> tuple[Signed, ...]:
    try:
        return tuple(sorted({*find(a)} & {*find(b)}))
    except MalformedError:
        # Then there is more to say about one of them than a signature.
        return ()


def _partitions(a: Node, b: Node) -> Iterator[Part]:
    differences = tuple(compare(a, b))
    if whole := tuple(one for one in differences if not one.place):
        yield Part("image", whole)
    try:
        names = dict.fromkeys((*inside(a), *inside(b)))
    except MalformedError:
        return
    for name in names:
        yield Part(name, tuple(one for one in differences if one.place[:1] == (name,)))


def _sbom(disk: Disk, name: str, digests: Digests) -> Node:
    """Put names in the places of the digests of what is signed, and of the serial number that follows from one."""
    text = disk.read(0, disk.size_bytes)
    for digest, what in digests.items():
        text = text.replace(digest.encode(), f"({what})".encode())
    return Node(name, Memory(_SERIAL_NUMBER.sub(b"", text)))
