"""One difference between two images, and what can be said about bytes that are not the same."""

import difflib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

# Longer texts are told by their first differing byte: nobody reads a diff of them here.
MAX_TEXT_BYTES = 256 << 10
MAX_DIFF_LINES = 20
MAX_LINE_CHARACTERS = 120


@dataclass(frozen=True)
class Difference:
    """`place` goes from the outside in: partition, file, section. `what` is a fact (mode, owner, size …) or one of
    content, added, removed, unreadable. `a` and `b` say what it is in either image, `detail` shows more of it.
    """

    place: tuple[str, ...]
    what: str
    a: str
    b: str
    detail: str = ""


class Content(Protocol):
    """Bytes that can be read from their beginning, any number of times."""

    @property
    def size_bytes(self) -> int:
        """How many there are."""

    def chunks(self) -> Iterator[bytes]:
        """Yield all of them."""


def content_difference(place: tuple[str, ...], a: Content, b: Content, at: int) -> Difference:
    """Describe bytes that are not the same from offset `at` on."""
    return Difference(place, "content", described(a), described(b), _text_diff(a, b) or f"first at byte {at}")


def described(content: Content) -> str:
    """Return size and SHA-256."""
    found = hashlib.sha256()
    for chunk in content.chunks():
        found.update(chunk)
    return f"{content.size_bytes} bytes, SHA-256 {found.hexdigest()}"


def first_difference(a: Content, b: Content) -> int | None:
    """Return the offset of the first byte that differs, or where the shorter one ends; None if there is none."""
    offset = 0
    left, right = a.chunks(), b.chunks()
    mine, other = b"", b""
    while True:
        mine = mine or next(left, b"")
        other = other or next(right, b"")
        common = min(len(mine), len(other))
        if mine[:common] != other[:common]:
            return offset + next(index for index in range(common) if mine[index] != other[index])
        if common == 0:
            return offset if mine or other else None
        offset, mine, other = offset + common, mine[common:], other[common:]


def _text_diff(a: Content, b: Content) -> str:
    """Return the lines that differ, as diff -u has them; empty unless both are short texts."""
    left, right = _lines(a), _lines(b)
    if left is None or right is None:
        return ""
    lines = list(difflib.unified_diff(left, right, n=0, lineterm=""))[2:]
    shown = [line[:MAX_LINE_CHARACTERS] for line in lines if not line.startswith("@@")]
    more = [f"… {len(shown) - MAX_DIFF_LINES} more lines"] if len(shown) > MAX_DIFF_LINES else []
    return "\n".join(shown[:MAX_DIFF_LINES] + more)


def _lines(content: Content) -> list[str] | None:
    if content.size_bytes > MAX_TEXT_BYTES:
        return None
    try:
        text = b"".join(content.chunks()).decode()
    except UnicodeDecodeError:
        return None
    # One line that is a list, such as a kernel command line, reads better word by word.
    lines = text.rstrip("\0").splitlines()
    lines = lines[0].split(" ") if len(lines) == 1 else lines
    return lines if all(line.isprintable() or "\t" in line for line in lines) else None
