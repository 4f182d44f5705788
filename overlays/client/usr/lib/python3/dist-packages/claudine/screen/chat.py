"""The main screen: header, conversation, draft, state, keys."""

from collections import defaultdict
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.screen import Screen

from claudine.screen.draft import Draft
from claudine.screen.line import Entries, Header, Rule, StateLine
from claudine.screen.transcript import Transcript, Turn
from claudine.voice import screen as voice

if TYPE_CHECKING:
    from claudine.record import Record


class ChatScreen(Screen[None], inherit_bindings=False):
    """The keyboard is always the draft's; what moves the conversation is bound here, and comes before it."""

    BINDINGS = [
        Binding("f2", "app.menu"),
        Binding("escape", "app.stop"),
        Binding("ctrl+c", "app.stop(True)"),
        Binding("ctrl+d", "app.leave"),
        Binding("pageup", "page(-1)"),
        Binding("pagedown", "page(1)"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.header = Header(voice.UNTITLED, id="header")
        self.transcript = Transcript()
        self.draft = Draft()
        self.state = StateLine(voice.WAKING)
        self.keys = Entries(id="footer")
        self._recalled: object = None

    def compose(self) -> ComposeResult:
        with Container(id="column"):
            yield self.header
            yield Rule()
            yield self.transcript
            yield Rule()
            yield self.draft
            yield self.state
            yield self.keys

    def action_page(self, direction: int) -> None:
        """Scroll the conversation."""
        self.transcript.page(direction)

    def show(self, record: "Record") -> None:
        """Show where we are in *record*."""
        self.recall(record)
        self.transcript.show(turns(record) or [Turn("", "assistant", voice.GREETING)])
        self.show_title(record)

    def recall(self, record: "Record") -> None:
        """Let the up arrow bring back what was said here, and nothing else, after a change of conversations."""
        if (record.id, record.earlier_prompts) != self._recalled:
            self._recalled = (record.id, record.earlier_prompts)
            self.draft.recall([*record.earlier_prompts, *record.prompts])

    def show_sent(self, record: "Record | None", text: str) -> None:
        """Show *text* as sent, before it has a place in *record*, or before that is there."""
        self.transcript.show([*(turns(record) if record else ()), Turn("", "user", text)])

    def show_facts(self, line: str) -> None:
        """Show what was seen of the machine."""
        self.header.show(right=line)

    def show_title(self, record: "Record") -> None:
        """Show what the conversation is called, and whether it is private."""
        self.header.mark = voice.PRIVATE if record.private else ""
        self.header.show(left=record.title or voice.UNTITLED)
        self.header.refresh()

    def grow(self, record: "Record", text: str) -> None:
        """Show *text* as the last message of *record*, which is being made."""
        if not self.transcript.grows:
            self.transcript.show(turns(record)[:-1])
            self.show_title(record)
        self.transcript.grow(text)


def turns(record: "Record") -> list[Turn]:
    """Return the messages from the first to where we are, with how many others stand beside each."""
    beside: dict[str | None, list[str]] = defaultdict(list)
    for entry in record.tree.entries:
        beside[entry.parent].append(entry.id)
    return [
        Turn(
            entry.id,
            entry.role,
            entry.text,
            version=beside[entry.parent].index(entry.id) + 1,
            versions=len(beside[entry.parent]),
        )
        for entry in record.path
    ]
