"""What a person wants to know first of two images: packages, units, kernel arguments, sizes, licences."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from builder.compare.difference import Difference
from builder.compare.files import is_unit
from builder.compare.image import KERNEL_IMAGES
from builder.compare.node import Node, inside
from builder.profile.kernel import argument_name
from builder.verify.formats.malformed import MalformedError
from builder.verify.layout import ESP, ROOT, SYSTEM

COMMAND_LINE = ".cmdline"
_MAX_COMMAND_LINE_BYTES = 64 << 10


@dataclass(frozen=True)
class Change:
    """Something by its name, and what it is in either image; empty where it is not there."""

    name: str
    a: str
    b: str


def changes(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[Change, ...]:
    """Return what is not the same, by name."""
    names = sorted(a.keys() | b.keys())
    return tuple(Change(name, a.get(name, ""), b.get(name, "")) for name in names if a.get(name) != b.get(name))


def sizes(image: Node) -> Mapping[str, str]:
    """Return the size of each partition, in bytes."""
    return {name: node.facts["size"] for name, node in inside(image).items() if "size" in node.facts}


def kernel_arguments(image: Node) -> Mapping[str, str]:
    """Return the arguments of each command line by their names; one that is given several times is one entry.

    The arguments of another way to start the image have its number in front.
    """
    found: dict[str, str] = {}
    for line, text in _command_lines(image).items():
        for argument in text.split():
            name = f"{line} {argument_name(argument)}".strip()
            found[name] = f"{found[name]} {argument}" if name in found else argument
    return found


def _command_lines(image: Node) -> Mapping[str, str]:
    """Return the command lines of the only kernel image by their numbers; none where there is no such image."""
    try:
        kernel = inside(inside(image)[SYSTEM[ESP].title])[KERNEL_IMAGES]
        lines = {name: node.content for name, node in inside(kernel).items() if name.startswith(COMMAND_LINE)}
        return {
            name.removeprefix(COMMAND_LINE).strip(): b"".join(line.chunks()).decode("utf-8", "replace").rstrip("\0")
            for name, line in lines.items()
            if line and line.size_bytes <= _MAX_COMMAND_LINE_BYTES
        }
    except (KeyError, MalformedError):
        return {}


def units(differences: Iterable[Difference]) -> Iterator[Change]:
    """Yield the units among the files that differ in the root, each once, with what happened to it."""
    seen = set()
    for difference in differences:
        if difference.place[:1] == (SYSTEM[ROOT].title,) and len(difference.place) == 2:
            path = difference.place[1]
            if is_unit(path) and path not in seen:
                seen.add(path)
                states = {"added": ("", "there"), "removed": ("there", "")}
                yield Change(path, *states.get(difference.what, ("there", "changed")))
