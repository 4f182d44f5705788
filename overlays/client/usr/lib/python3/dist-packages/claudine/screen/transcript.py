"""The conversation as it stands on the screen: one widget that draws the rows that are in view, and nothing else.

A widget for each message would be laid out anew with each word of an answer, and a long conversation would be slow to
type below. Here a message is broken into rows once for each width. Of a long conversation only the end is, until
somebody scrolls up to more of it; of a growing answer only the paragraph that still grows is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from claudine.screen.looks import PLAIN, QUIET, Looks
from claudine.screen.rows import strip, wrapped
from claudine.voice import screen as voice

# How many messages are broken into rows at once: more than fit on the largest screen, as a rule.
_HANDFUL = 40

Markdown = Callable[[str, int, Looks], list[Text]]


@dataclass(frozen=True)
class Turn:
    """A message. *version* and *versions* count those that stand at the same place."""

    id: str
    role: str
    text: str
    version: int = 1
    versions: int = 1


@dataclass(frozen=True)
class Remark:
    """What the client says beside the conversation."""

    text: str


Item = Turn | Remark


class Transcript(ScrollView, can_focus=False, inherit_bindings=False):
    """Scrolled by whoever has the keyboard."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 — Textual's name
        super().__init__(id=id)
        self.looks = QUIET
        # Until markdown-it is loaded, Markdown is shown as it is written.
        self.markdown: Markdown | None = None
        self._items: list[Item] = []
        self._first = 0
        self._rows: list[list[Strip]] = []
        self._growing: _Growing | None = None
        # Whether new rows come into view; not while somebody reads further up.
        self._follows = True
        self._drawn_for = 0
        self._kept = 0
        self._style = PLAIN

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The messages that are shown or can be scrolled to."""
        return tuple(item for item in self._items if isinstance(item, Turn))

    @property
    def grows(self) -> bool:
        """Say whether the last message is one that is being made."""
        return self._growing is not None

    @property
    def text(self) -> str:
        """All rows that are drawn so far, as they stand."""
        return "\n".join(row.text.rstrip() for rows in self._rows for row in rows)

    def show(self, turns: Sequence[Turn]) -> None:
        """Show *turns*. Where they begin as those before did, the remarks among them stay."""
        position, kept = self._in_common(turns)
        self._growing = None
        late = [item for item in self._items[max(position, self._kept) :] if isinstance(item, Remark)]
        self._items[position:] = [*turns[kept:], *late]
        if position <= self._first or len(self._items) - self._first > 2 * _HANDFUL:
            self.redraw()
        else:
            self._rows[position - self._first :] = map(self._draw, self._items[position:])
            self._follows = True
            self._fit()

    def keep_remarks(self) -> None:
        """Let the remarks from now on stand below whatever is shown: they are about what the person does now."""
        self._kept = len(self._items)

    def remark(self, sentence: str) -> None:
        """Put *sentence* below, but above an answer that is being made."""
        self._items.append(Remark(sentence))
        self._rows.insert(len(self._rows) - self.grows, self._draw(self._items[-1]))
        self._fit()

    def grow(self, text: str) -> None:
        """Show *text* as the answer that is being made. It stays until all is shown that there is."""
        if self._growing is None:
            self._growing = _Growing()
            self._rows.append([])
        self._growing.text = text
        height = len(self._rows[-1])
        self._rows[-1] = self._draw_growing(self._growing)
        if len(self._rows[-1]) != height:
            self._fit()
        else:
            # As a rule a word only makes the last row longer.
            fixed = len(self._growing.rows)
            self.refresh_lines(self.virtual_size.height - height + fixed, height - fixed)

    def redraw(self) -> None:
        """Break everything into rows anew, the end of it first."""
        self._first = max(0, len(self._items) - _HANDFUL)
        self._follows = True
        self._drawn_for = self.container_size.width
        self._rows = [self._draw(item) for item in self._items[self._first :]]
        if self._growing is not None:
            self._growing = _Growing(self._growing.text)
            self._rows.append(self._draw_growing(self._growing))
        self._fit()

    def page(self, direction: int) -> None:
        """Scroll by what is in view, less two rows to find one's place again."""
        if direction < 0 and self._first and self.scroll_offset.y == 0:
            self._draw_more()
        y = self.scroll_offset.y + direction * max(1, self.size.height - 2)
        self._follows = y >= self.max_scroll_y
        self._scroll(y)

    def on_resize(self) -> None:
        if self.container_size.width != self._drawn_for:
            self.redraw()
        else:
            self._fit()

    def render_lines(self, crop: Region) -> list[Strip]:
        # Textual finds it anew each time it is asked, which is most of the work for a row.
        self._style = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        for rows in self._rows:
            if row < len(rows):
                return rows[row].crop_extend(0, self.size.width, self._style).apply_style(self._style)
            row -= len(rows)
        return Strip.blank(self.size.width, self._style)

    def _in_common(self, turns: Sequence[Turn]) -> tuple[int, int]:
        """Return how many items stay where they are when *turns* are shown, and how many of *turns* are among them."""
        kept = 0
        for position, item in enumerate(self._items):
            if isinstance(item, Turn):
                if turns[kept : kept + 1] != [item]:
                    return position, kept
                kept += 1
        return len(self._items), kept

    @property
    def _measure(self) -> int:
        # Two columns of margin on the left, and room for a scroll bar on the right.
        return max(10, self.container_size.width - 4)

    def _fit(self) -> None:
        self.virtual_size = Size(self.container_size.width, sum(map(len, self._rows)))
        if self._follows:
            self._scroll(self.max_scroll_y)
        self.refresh()

    def _scroll(self, y: int) -> None:
        # By force: while the scroll bar is not shown yet, Textual thinks that there is nothing to scroll.
        self.scroll_to(y=y, animate=False, immediate=True, force=True)

    def _draw_more(self) -> None:
        """Let the messages before those that are drawn follow, above what is in view."""
        before = self.virtual_size.height
        start = max(0, self._first - _HANDFUL)
        self._rows[:0] = [self._draw(item) for item in self._items[start : self._first]]
        self._first = start
        self._fit()
        self._scroll(self.virtual_size.height - before)

    def _draw(self, item: Item) -> list[Strip]:
        match item:
            case Remark(text):
                return self._set(wrapped(Text(f"[{text}]", self.looks.remark), self._measure))
            case Turn(role="user", text=text):
                return self._set([self._label(item), *wrapped(Text(text, self.looks.text), self._measure)])
            case Turn(text=text):
                return self._set([self._label(item), *self._answer(text)])

    def _draw_growing(self, answer: "_Growing") -> list[Strip]:
        if not answer.rows:
            answer.rows = [self._strip(Text(voice.CLAUDINE, self.looks.claudine))]
        if self.markdown is not None and (settled := answer.settle()):
            answer.rows += self._set(self._answer(settled))
        return [*answer.rows, *self._set(self._answer(answer.rest))]

    def _answer(self, text: str) -> list[Text]:
        if self.markdown is None:
            return wrapped(Text(text, self.looks.text), self._measure)
        return self.markdown(text, self._measure, self.looks)

    def _label(self, turn: Turn) -> Text:
        person = turn.role == "user"
        label = Text(voice.YOU, self.looks.you) if person else Text(voice.CLAUDINE, self.looks.claudine)
        if turn.versions > 1:
            label.append(f" · {voice.version(turn.version, turn.versions)}", self.looks.faint)
        return label

    def _set(self, rows: Sequence[Text]) -> list[Strip]:
        return [*map(self._strip, rows), Strip([])]

    def _strip(self, row: Text) -> Strip:
        return strip(Text("  ") + row)


class _Growing:
    """An answer that is being made: *rows* of what cannot change any more, and the *rest* of its text."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.rows: list[Strip] = []
        self._settled = 0

    @property
    def rest(self) -> str:
        return self.text[self._settled :]

    def settle(self) -> str:
        """Take from the rest what cannot change any more."""
        from claudine.screen.markdown import settled

        complete = self.rest[: settled(self.rest)]
        self._settled += len(complete)
        return complete
