"""Markdown as rows of a 16-colour console. Importing this module loads markdown-it.

    rows("Use `ls`:\\n\\n    ls -l", 40, QUIET)

Line breaks stay where the model wrote them. There is nothing to click, so a link is followed by its address.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.cells import cell_len, chop_cells
from rich.style import Style
from rich.text import Text

from claudine.screen.looks import PLAIN, Looks
from claudine.screen.rows import wrapped

_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_NARROWEST = 10


def rows(source: str, width: int, looks: Looks) -> list[Text]:
    """Return *source* broken into rows of at most *width* cells."""
    drawn = list(_Drawing(looks).blocks(_PARSER.parse(source), _Margin(width, Text(), Text())))
    while drawn and not drawn[-1].plain.strip():
        drawn.pop()
    return drawn


def settled(source: str) -> int:
    """Return where the part of a growing *source* begins that may still change: all before it is complete blocks."""
    fence = ""
    blank = False
    position = safe = 0
    for line in source.splitlines(keepends=True):
        bare = line.strip()
        if fence:
            if bare.startswith(fence) and not bare.strip(fence[0]):
                fence = ""
            blank = False
        else:
            # What is indented may belong to a list that began further up.
            if blank and bare and not line[0].isspace():
                safe = position
            if opening := _FENCE.match(line):
                fence = opening[1]
            blank = not bare
        position += len(line)
    return safe


@dataclass(frozen=True)
class _Margin:
    """What stands left of a block: *first* on its first row, *rest* on those below."""

    width: int
    first: Text
    rest: Text

    def indented(self, first: Text, rest: Text) -> "_Margin":
        width = max(_NARROWEST, self.width - rest.cell_len)
        return _Margin(width, self.first + first, self.rest + rest)

    def below(self) -> "_Margin":
        return replace(self, first=self.rest)

    def beside(self, lines: Sequence[Text]) -> Iterator[Text]:
        for number, line in enumerate(lines):
            yield (self.rest if number else self.first) + line


class _Drawing:
    def __init__(self, looks: Looks) -> None:
        self._looks = looks

    def blocks(self, tokens: Sequence[Token], margin: _Margin, *, tight: bool = False) -> Iterator[Text]:
        """Draw the blocks that *tokens* hold one after the other, a blank row between two of them."""
        for number, block in enumerate(_siblings(tokens)):
            if number:
                if not (tight or block[0].hidden):
                    yield margin.rest
                margin = margin.below()
            yield from self._block(block, margin)

    def _block(self, block: Sequence[Token], margin: _Margin) -> Iterator[Text]:
        match block[0].type:
            case "paragraph_open":
                yield from margin.beside(wrapped(self._inline(block[1]), margin.width))
            case "heading_open":
                yield from margin.beside(wrapped(self._inline(block[1], self._looks.heading), margin.width))
            case "fence" | "code_block":
                yield from self._code(block[0], margin)
            case "blockquote_open":
                bar = Text("│ ", self._looks.faint)
                yield from self.blocks(block[1:-1], margin.indented(bar, bar))
            case "bullet_list_open" | "ordered_list_open":
                yield from self._list(block, margin)
            case "table_open":
                yield from margin.beside(self._table(block, margin.width))
            case "hr":
                yield from margin.beside([Text("─" * margin.width, self._looks.faint)])
            case _:
                yield from margin.beside(wrapped(Text(block[0].content, self._looks.text), margin.width))

    def _code(self, block: Token, margin: _Margin) -> Iterator[Text]:
        """Draw code as it is: a row that is too long goes on in the next one, broken anywhere."""
        bar = Text("│ ", self._looks.faint)
        inside = margin.indented(bar, bar)
        for line in block.content.rstrip("\n").expandtabs(4).split("\n"):
            for piece in chop_cells(line, inside.width) or [""]:
                yield inside.first + Text(piece, self._looks.code)
                inside = inside.below()

    def _list(self, block: Sequence[Token], margin: _Margin) -> Iterator[Text]:
        number = int(block[0].attrs.get("start", 1)) if block[0].type == "ordered_list_open" else None
        tight = any(token.hidden for token in block)
        for index, item in enumerate(_siblings(block[1:-1])):
            if index:
                if not tight:
                    yield margin.rest
                margin = margin.below()
            marker = Text("• " if number is None else f"{number + index}. ", self._looks.text)
            yield from self.blocks(item[1:-1], margin.indented(marker, Text(" " * marker.cell_len)), tight=tight)

    def _table(self, block: Sequence[Token], width: int) -> list[Text]:
        """Draw a table whose cells are wrapped where all of it would be too wide."""
        heads = [token.type == "th_open" for token in block if token.type in ("th_open", "td_open")]
        cells = [self._inline(token) for token in block if token.type == "inline"]
        columns = sum(heads) or 1
        table = [cells[start : start + columns] for start in range(0, len(cells), columns)]
        widths = _fitting([max(cell.cell_len for cell in column) for column in zip(*table, strict=False)], width)
        rule = Text("─┼─".join("─" * column for column in widths).replace("┼", "─"), self._looks.faint)
        drawn: list[Text] = []
        for number, row in enumerate(table):
            if number == 1:
                drawn.append(rule)
            drawn += _beside([wrapped(cell, column) for cell, column in zip(row, widths, strict=False)], widths)
        return drawn

    def _inline(self, token: Token, style: Style | None = None) -> Text:
        """Draw a run of text. Markup that is open at its end, as in an answer that still grows, is text."""
        text = Text(style=self._looks.text if style is None else style)
        styles: list[Style] = []
        addresses: list[tuple[str, int]] = []
        for child in token.children or ():
            match child.type:
                case "strong_open":
                    styles.append(Style(bold=True))
                case "em_open":
                    styles.append(Style(underline=True))
                case "strong_close" | "em_close":
                    styles.pop()
                case "link_open":
                    addresses.append((str(child.attrs.get("href", "")), len(text)))
                case "link_close":
                    address, start = addresses.pop()
                    if address not in ("", text.plain[start:]):
                        text.append(f" ({address})", self._looks.faint)
                case "softbreak" | "hardbreak":
                    text.append("\n")
                case "code_inline":
                    text.append(child.content, self._looks.code)
                case _:
                    text.append(child.content, sum(styles, PLAIN))
        return text


def _siblings(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Cut *tokens* into the blocks that stand side by side in it, each from its opening to its closing."""
    start = depth = 0
    for position, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            yield tokens[start : position + 1]
            start = position + 1


def _fitting(widths: Sequence[int], total: int) -> list[int]:
    """Take from the widest columns until all fit side by side into *total* cells."""
    fitting = [max(1, width) for width in widths]
    while sum(fitting) + 3 * (len(fitting) - 1) > total and max(fitting) > 1:
        fitting[fitting.index(max(fitting))] -= 1
    return fitting


def _beside(cells: Sequence[Sequence[Text]], widths: Sequence[int]) -> Iterator[Text]:
    for number in range(max(map(len, cells), default=0)):
        pieces = [lines[number] if number < len(lines) else Text() for lines in cells]
        padded = [
            piece + Text(" " * (width - cell_len(piece.plain))) for piece, width in zip(pieces, widths, strict=False)
        ]
        yield Text(" │ ").join(padded)
