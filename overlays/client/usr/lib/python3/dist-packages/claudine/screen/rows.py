"""Text broken into rows of a screen."""

from io import StringIO

from rich.console import Console
from rich.text import Text
from textual.strip import Strip

# rich asks a console for what it may draw; this one draws nothing.
_CONSOLE = Console(file=StringIO(), color_system="standard", legacy_windows=False, width=80)


def wrapped(text: Text, width: int) -> list[Text]:
    """Break *text* between words, and inside one that is too long; blanks at the beginning of a line stay."""
    return list(text.wrap(_CONSOLE, max(1, width), tab_size=4)) or [Text()]


def hanging(line: str, width: int) -> list[Text]:
    """Break *line* so that its rows are indented as it is."""
    indent = " " * (len(line) - len(line.lstrip()))
    return [Text(indent) + row for row in wrapped(Text(line.lstrip()), width - len(indent))]


def strip(row: Text) -> Strip:
    """Turn a row into what Textual draws."""
    # rich forgets the style of a text that has no other styles in it.
    return Strip(Text().append_text(row).render(_CONSOLE), row.cell_len)
