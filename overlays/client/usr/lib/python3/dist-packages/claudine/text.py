"""Text that is safe to show, put in other lines, or in fewer words.

A terminal obeys control characters, and a model can be talked into writing them. What passes ``printable`` can change
nothing but the words on the screen: no C0 or C1 control (escape included) except newline and tab, no mark that
reorders what stands beside it, and no lone surrogate, which could be neither printed nor sent.
"""

import re

_REORDERING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
_DROPPED = dict.fromkeys(code for code in (*_CONTROLS, *_REORDERING) if chr(code) not in "\n\t")


def printable(text: str) -> str:
    """Return *text* without anything that a terminal would obey."""
    return text.translate(_DROPPED).encode("utf-8", "replace").decode("utf-8")


def joined(text: str) -> str:
    """Join the lines of each paragraph in *text*. Blank lines, and lines that begin with a blank, stay as they are."""
    return re.sub(r"(?m)^(?=\S)(.+)\n(?=\S)", r"\1 ", text)


def one_line(text: str) -> str:
    """Return *text* in one line, without anything that a terminal would obey."""
    return " ".join(printable(text).split())


def last_rows(text: str, *, rows: int, columns: int) -> str:
    """Return as much of the end of *text* as fits, broken into rows."""
    import textwrap

    broken = [row for line in text.splitlines() for row in textwrap.wrap(line, columns) or [""]]
    return "\n".join(broken if len(broken) <= rows else ["[...]", *broken[1 - rows :]])


def first_words(text: str, length: int = 48) -> str:
    """Return the beginning of *text* in one line of at most *length* characters, cut between words if it can be."""
    line = one_line(text[: 20 * length])
    if len(line) <= length:
        return line
    cut = line[: length - 3]
    return cut[: max(cut.rfind(" "), length // 2)].rstrip() + "..."
