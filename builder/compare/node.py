"""What an image is made of, as a tree, and how two such trees are compared.

A node has facts (mode, owner, label), bytes, and perhaps nodes inside it. Two nodes whose facts and bytes are equal are
equal. Where the bytes differ, what is inside is compared, so that the difference is named by its innermost place:

    esp → /EFI/Linux/claudineos_0.1.0.efi → .cmdline: - ro quiet  + ro
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from builder.compare.difference import Content, Difference, content_difference, described, first_difference
from builder.verify.formats.malformed import MalformedError


@dataclass(frozen=True)
class Node:
    """A thing inside an image.

    Nodes of two images belong together when they have the same key in the `inside` of what holds them; `name` is what
    a person reads, and may differ. `inside` is called only when the bytes differ, and may raise MalformedError.
    `content` is None for what has no bytes of its own, such as a directory.
    """

    name: str
    content: Content | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    inside: Callable[[], Mapping[str, "Node"]] | None = None


def compare(a: Node, b: Node, place: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Yield what differs, from the outside in; `place` is where both are."""
    for fact in dict.fromkeys((*a.facts, *b.facts)):
        left, right = a.facts.get(fact, ""), b.facts.get(fact, "")
        if left != right:
            yield Difference(place, fact, left, right)
    at = None
    if a.content is not None and b.content is not None:
        at = first_difference(a.content, b.content)
        if at is None:
            return
    inner: list[Difference] = []
    try:
        inner += _inside(a, b, place)
    except MalformedError as error:
        inner.append(Difference(place, "unreadable", "", "", f"{error.what}, at byte {error.offset}"))
    if not inner and a.content is not None and b.content is not None and at is not None:
        # Nothing inside differs, but the bytes do: what lies between.
        inner.append(content_difference(place, a.content, b.content, at))
    yield from inner


def _inside(a: Node, b: Node, place: tuple[str, ...]) -> Iterator[Difference]:
    if a.inside is None or b.inside is None:
        return
    left, right = a.inside(), b.inside()
    for key in dict.fromkeys((*left, *right)):
        before, after = left.get(key), right.get(key)
        if before is not None and after is not None:
            yield from compare(before, after, (*place, before.name))
        elif before is not None:
            yield Difference((*place, before.name), "removed", _summary(before), "")
        elif after is not None:
            yield Difference((*place, after.name), "added", "", _summary(after))


def _summary(node: Node) -> str:
    facts = [f"{name} {value}" for name, value in node.facts.items() if value]
    return ", ".join([*facts, *([described(node.content)] if node.content else [])])


def inside(node: Node) -> Mapping[str, Node]:
    """Return what is inside a node; MalformedError if that cannot be read."""
    return node.inside() if node.inside else {}
