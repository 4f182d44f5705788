"""What a command asks a person for: each a screen of its own, that ends with the answer or, at Escape, with None."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, VerticalScroll
from textual.events import Key
from textual.geometry import Size
from textual.screen import ModalScreen, Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Static

from claudine.face import Option
from claudine.screen.keys import obey
from claudine.screen.line import Line, Rule
from claudine.screen.rows import hanging, strip, wrapped
from claudine.text import joined, printable
from claudine.voice import screen as voice

Result = TypeVar("Result")

# Bright white on black, whatever the terminal's own colours are: phones want the light modules light.
_LIGHT = Style(color="bright_white", bgcolor="black", bold=True)

# The columns of the widest frame, and those of its sides and a blank beside each.
_WIDEST, _FRAME = 104, 4

_BACK = [Binding(key, "dismiss(None)") for key in ("escape", "ctrl+c", "ctrl+d")]


def _rows(*keys: str) -> list[Binding]:
    return [Binding(key, f"scroll('{key}')") for key in keys]


class AskScreen(ModalScreen[str | None], inherit_bindings=False):
    """A line to write, in a frame."""

    BINDINGS = [*_BACK]

    def __init__(self, prompt: str, draft: str, about: str) -> None:
        super().__init__()
        self._prompt, self._draft, self._about = prompt, draft, joined(about.strip())

    def compose(self) -> ComposeResult:
        with Container(classes="frame"):
            if self._about:
                yield Static(self._about, markup=False, classes="about")
            with Container(classes="prompt"):
                yield Static(self._prompt, markup=False)
                yield _input(self._draft)
            yield Line(voice.ASK_HINT).add_class("hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)


class AloneScreen(Screen[str | None], inherit_bindings=False):
    """Rows that need the whole screen, and a line to write below them."""

    BINDINGS = [*_BACK, *_rows("pageup", "pagedown")]

    def __init__(self, rows: Sequence[str], note: str, prompt: str) -> None:
        super().__init__()
        self._rows, self._note, self._prompt = rows, note, prompt

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="rows", can_focus=False):
            yield Lights(self._rows)
        yield Static(self._note, markup=False)
        with Container(classes="prompt"):
            yield Static(self._prompt, markup=False)
            yield _input("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_scroll(self, key: str) -> None:
        """See what a small terminal has no room for."""
        rows = self.query_one(VerticalScroll)
        (rows.scroll_page_up if key == "pageup" else rows.scroll_page_down)(animate=False)


class Lights(Widget):
    """Rows in bright white on black."""

    DEFAULT_CSS = "Lights { height: auto; }"

    def __init__(self, rows: Sequence[str]) -> None:
        super().__init__()
        self._drawn = [strip(Text(row, _LIGHT)) for row in rows]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._drawn)

    def render_line(self, y: int) -> Strip:
        row = self._drawn[y] if y < len(self._drawn) else Strip([])
        return row.crop_extend(0, self.size.width, self.rich_style)


class ChooseScreen(ModalScreen[int | None], inherit_bindings=False):
    """A list in a frame. What is typed leaves the lines that hold all of its words."""

    BINDINGS = [
        *_BACK,
        *_rows("up", "down", "pageup", "pagedown", "ctrl+home", "ctrl+end"),
        Binding("enter", "take"),
    ]

    def __init__(self, title: str, options: Sequence[Option], about: str, start: int) -> None:
        super().__init__()
        self._title, self._options, self._about = title, options, joined(about.strip())
        self._choices = Choices(options, start)
        # A handful is chosen with the arrows; a line to type on would only be in the way.
        self._searchable = len(options) > 7

    def compose(self) -> ComposeResult:
        with Container(classes="frame"):
            yield Static(self._title, markup=False, classes="title")
            if self._about:
                yield Static(self._about, markup=False, classes="about")
            if self._searchable:
                with Container(classes="prompt"):
                    yield Static(voice.SEARCH, markup=False)
                    yield _input("")
            yield self._choices
            if self._choices.cuts(self._inside):
                yield Static(id="detail", markup=False)
            yield Line(voice.SEARCH_HINT if self._searchable else voice.CHOOSE_HINT).add_class("hint")

    def on_resize(self) -> None:
        # All but the list has its place first, so that nothing is cut on a small screen.
        cuts = self._choices.cuts(self._inside)
        about = len(wrapped(Text(self._about), self._inside)) + 1 if self._about else 0
        self._choices.styles.max_height = max(3, self.size.height - 6 - about - 2 * self._searchable - 3 * cuts)
        self._tell()

    def on_input_changed(self) -> None:
        self._search()
        self._tell()

    def action_scroll(self, key: str) -> None:
        """Move to another line."""
        self._search()
        self._choices.move(key)
        self._tell()

    def action_take(self) -> None:
        """End with the line that is marked."""
        self._search()
        if (chosen := self._choices.chosen) is not None:
            self.dismiss(chosen)

    def _search(self) -> None:
        """Look for what is typed by now: a key comes sooner than word of what it has changed."""
        if self._searchable:
            self._choices.search(self.query_one(Input).value)

    def _tell(self) -> None:
        """Show in full what the line that is marked has no room for."""
        for detail in self.query("#detail").results(Static):
            chosen = self._choices.chosen
            option = None if chosen is None else self._options[chosen]
            detail.update(option.note if option and _cut(option, self._inside) else "")

    @property
    def _inside(self) -> int:
        """How many columns the frame holds; as ``looks.tcss`` has it."""
        return min(_WIDEST, self.app.size.width * 95 // 100) - _FRAME


class Choices(ScrollView, can_focus=False, inherit_bindings=False):
    """Lines of which one is marked. Only those in view are drawn: there may be thousands."""

    def __init__(self, options: Sequence[Option], start: int) -> None:
        super().__init__()
        self._options = options
        self._found = list(range(len(options)))
        self._marked = max(0, min(start, len(options) - 1))
        self._words = ""
        self._folded: list[str] = []

    @property
    def chosen(self) -> int | None:
        """The place of the marked option among all."""
        return self._found[self._marked] if self._found else None

    def cuts(self, width: int) -> bool:
        """Say whether there are notes that do not fit into *width*."""
        return any(_cut(option, width) for option in self._options)

    def search(self, words: str) -> None:
        """Leave the lines that hold each of *words*, and mark the first; if they are others than before."""
        if words == self._words:
            return
        self._words = words
        if not self._folded:
            self._folded = [f"{option.title} {option.note} {option.key}".casefold() for option in self._options]
        wanted = words.casefold().split()
        self._found = [place for place, text in enumerate(self._folded) if all(word in text for word in wanted)]
        self._marked = 0
        self._fit()

    def move(self, key: str) -> None:
        """Mark another line."""
        page = max(1, self.size.height - 1)
        last = len(self._found) - 1
        step = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "ctrl+home": -last, "ctrl+end": last}[key]
        self._marked = max(0, min(self._marked + step, last))
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self._options))

    def render_line(self, y: int) -> Strip:
        number = y + self.scroll_offset.y
        if number >= len(self._found):
            nothing = voice.NOTHING_FOUND if not self._found and y == 0 else ""
            return strip(Text(nothing)).crop_extend(0, self.size.width, self.rich_style)
        option = self._options[self._found[number]]
        marked = number == self._marked
        row = Text(f"{'>' if marked else ' '} {_one_line(option.title)}")
        notes = Text(_notes(option))
        notes.truncate(_beside(option, self.size.width))
        row.truncate(self.size.width - notes.cell_len - 2)
        row.pad_right(self.size.width - notes.cell_len - row.cell_len - 1)
        style = self.rich_style + Style(reverse=marked)
        return strip(row + notes + Text(" ")).crop_extend(0, self.size.width, style).apply_style(style)

    def _fit(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._found))
        top = self.scroll_offset.y
        top = min(max(top, self._marked - self.size.height + 1), self._marked)
        self.scroll_to(y=top, animate=False, immediate=True)
        self.refresh()


class PageScreen(Screen[None], inherit_bindings=False):
    """A text that is read and left."""

    BINDINGS = [
        *_BACK,
        *_rows("up", "down", "pageup", "pagedown", "home", "end"),
        *(Binding(key, "dismiss(None)") for key in ("enter", "q")),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with Container(id="column"):
            yield Line(self._title, id="header")
            yield Rule()
            yield Page(self._text)
            yield Rule()
            yield Line(voice.PAGE_HINT, id="footer")

    def action_scroll(self, key: str) -> None:
        """Move the text."""
        page = self.query_one(Page)
        moves: dict[str, Callable[..., None]] = {
            "up": page.scroll_up, "down": page.scroll_down, "pageup": page.scroll_page_up,
            "pagedown": page.scroll_page_down, "home": page.scroll_home, "end": page.scroll_end,
        }  # fmt: skip
        moves[key](animate=False)


class Page(ScrollView, can_focus=False, inherit_bindings=False):
    """The text of a page, broken into rows for the width that there is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = joined(text.strip("\n"))
        self._drawn: list[Strip] = []

    def on_resize(self) -> None:
        width = self.container_size.width - 4
        rows = [row for line in self._text.split("\n") for row in hanging(line, width)]
        self._drawn = [strip(Text("  ") + row) for row in rows]
        self.virtual_size = Size(self.container_size.width, len(self._drawn))

    def render_line(self, y: int) -> Strip:
        number = y + self.scroll_offset.y
        row = self._drawn[number] if number < len(self._drawn) else Strip([])
        return row.crop_extend(0, self.size.width, self.rich_style).apply_style(self.rich_style)


class _Input(Input):
    """A line to write."""

    async def _on_key(self, event: Key) -> None:
        await obey(self, event)


def _input(draft: str) -> Input:
    line = _Input(draft, select_on_focus=False, compact=True)
    line.cursor_blink = False
    return line


def _notes(option: Option) -> str:
    return "  ".join(filter(None, map(_one_line, [option.note, option.key])))


def _beside(option: Option, width: int) -> int:
    """Return how many columns there are for the notes: a title gives way to them only beyond the middle."""
    return max(0, width - min(len(option.title) + 2, width // 2) - 3)


def _cut(option: Option, width: int) -> bool:
    return len(_notes(option)) > _beside(option, width)


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())
