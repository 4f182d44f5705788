"""The line that a message is written on. It grows with the message, up to a third of the screen."""

from collections.abc import Iterable

from textual.binding import Binding
from textual.events import Key, Paste
from textual.message import Message
from textual.widgets import TextArea

from claudine.screen.keys import obey
from claudine.text import printable


class Draft(TextArea):
    """Enter sends, Ctrl+J is a new line, and the up arrow on the first row brings back what was sent before."""

    BINDINGS = [Binding("enter", "send"), Binding("ctrl+j", "break")]

    class Sent(Message):
        """The person is done writing *text*."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 — Textual's name
        super().__init__(id=id, soft_wrap=True, show_line_numbers=False, highlight_cursor_line=False, compact=True)
        self.cursor_blink = False
        self._sent: list[str] = []
        # Where in what was sent we are; at its end, in what is being written.
        self._place = 0
        self._written = ""

    def put(self, text: str) -> None:
        """Let *text* stand on the line, with the cursor behind it."""
        self.text = text
        self.move_cursor(self.document.end)

    def give_back(self, text: str) -> None:
        """Let *text* stand on the line again, before what has been written since."""
        self.put("\n".join(filter(None, [text, self.text])))

    def remember(self, text: str) -> None:
        """Let the up arrow bring back *text*."""
        if text.strip() and text not in self._sent[-1:]:
            self._sent.append(text)
        self._place = len(self._sent)

    def recall(self, texts: Iterable[str]) -> None:
        """Let the up arrow bring back *texts*, the last one first, and nothing else."""
        self._sent = list(texts)
        self._place = len(self._sent)

    def action_cursor_up(self, select: bool = False) -> None:
        if select or self._row > 0 or not self._recall(-1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if select or self._row < self.wrapped_document.height - 1 or not self._recall(1):
            super().action_cursor_down(select)

    def action_send(self) -> None:
        """Send what is written. It is off the line at once: what is typed next belongs to another message."""
        if text := self.text.strip():
            self.put("")
            self.post_message(self.Sent(text))

    def action_break(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    async def _on_key(self, event: Key) -> None:
        await obey(self, event)

    async def _on_paste(self, event: Paste) -> None:
        event.text = printable(event.text.replace("\r\n", "\n").replace("\r", "\n"))

    @property
    def _row(self) -> int:
        return self.wrapped_document.location_to_offset(self.cursor_location).y

    def _recall(self, step: int) -> bool:
        place = self._place + step
        if not 0 <= place <= len(self._sent):
            return False
        if self._place == len(self._sent):
            self._written = self.text
        self._place = place
        self.put(self._sent[place] if place < len(self._sent) else self._written)
        return True
