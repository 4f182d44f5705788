"""One row of the screen: something on its left, and something on its right."""

import time
from collections.abc import Sequence

from rich.text import Text
from textual.strip import Strip
from textual.widget import Widget

from claudine.screen.rows import strip
from claudine.text import first_words
from claudine.voice import seconds


class Line(Widget):
    """Text that does not fit is cut, on the right side first."""

    DEFAULT_CSS = "Line { height: 1; }"

    def __init__(self, left: str = "", right: str = "", *, id: str | None = None) -> None:  # noqa: A002 — Textual's name
        super().__init__(id=id)
        self.left, self.right = left, right

    def show(self, *, left: str | None = None, right: str | None = None) -> None:
        """Change one side or both."""
        before = (self.left, self.right)
        self.left = self.left if left is None else left
        self.right = self.right if right is None else right
        if before != (self.left, self.right):
            self.refresh()

    def render_line(self, y: int) -> Strip:
        row, right = self._cut(self.size.width)
        row.pad_right(self.size.width - row.cell_len - right.cell_len)
        return strip(row + right).apply_style(self.rich_style)

    def _cut(self, width: int) -> tuple[Text, Text]:
        row, right = Text(self.left), Text(self.right)
        row.truncate(width)
        right.truncate(max(0, width - row.cell_len - 2))
        return row, right


class Header(Line):
    """What stands above everything. The title on the left gives way to the facts, and to *mark*, a word on its kind."""

    mark = ""

    def _cut(self, width: int) -> tuple[Text, Text]:
        right = Text(self.right)
        right.truncate(width)
        room = max(0, width - right.cell_len - 2)
        mark = Text(f" · {self.mark}" if self.mark else "")
        left = Text(first_words(self.left, max(4, room - mark.cell_len)))
        if left.cell_len + mark.cell_len > room and mark:
            left, mark = Text(), Text(self.mark)
        row = left + mark
        row.truncate(room)
        return row, right


class Entries(Widget):
    """As many entries as fit, whole."""

    DEFAULT_CSS = "Entries { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 — Textual's name
        super().__init__(id=id)
        self._entries: Sequence[str] = ()

    def show(self, entries: Sequence[str]) -> None:
        """Show others."""
        self._entries = entries
        self.refresh()

    def render_line(self, y: int) -> Strip:
        row = ""
        for entry in self._entries:
            if len(row) + len(entry) > self.size.width:
                break
            row += f"{entry}  "
        return strip(Text(row[: self.size.width].ljust(self.size.width))).apply_style(self.rich_style)


class Rule(Widget):
    """A line across."""

    DEFAULT_CSS = "Rule { height: 1; }"

    def render_line(self, y: int) -> Strip:
        return strip(Text("─" * self.size.width)).apply_style(self.rich_style)


class StateLine(Line):
    """What goes on, in words. Nothing ticks here when nothing goes on."""

    def on_mount(self) -> None:
        self._text = ""
        self._began_s: float | None = None
        self._timer = self.set_interval(1.0, self._tick, pause=True)

    def say(self, text: str) -> None:
        """Show *text*."""
        self._began_s = None
        self._timer.pause()
        self.show(left=text)

    def count(self, text: str) -> None:
        """Show *text* with the seconds that pass; those so far count when the last one was shown like that."""
        self._text = text
        if self._began_s is None:
            self._began_s = time.monotonic()
            self._timer.resume()
        self._tick()

    def _tick(self) -> None:
        if self._began_s is not None:
            self.show(left=f"{self._text}: {seconds(time.monotonic() - self._began_s)}")
