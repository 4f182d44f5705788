"""The conversation of one console, saved as it is said.

    record = Record(Store("/var/lib/claudine"), "tty1", notify=print)
    resumed = record.resume()
    record.add("user", "Where?")

While the store fails, everything is kept here and saved with the next message that can be; the person hears of it
once when that begins and once when it is over.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

from claudine import voice
from claudine.conversation import Conversation, Role
from claudine.store import Entry, Store, StoreError


@dataclass(frozen=True)
class Resumed:
    """What there is to go on with. *unanswered* is the message that was sent last, if no answer came; else empty."""

    conversation: Conversation
    unanswered: str = ""


class Record:
    """Without a *store*, nothing is saved. *notify* gets a sentence for the person."""

    def __init__(self, store: Store | None, console: str, notify: Callable[[str], None]) -> None:
        self._store = store
        self._console = console
        self._notify = notify
        self._trouble: StoreError | None = None
        self._conversation = _new_id()
        self._last: str | None = None
        self._before: str | None = None
        self._unsaved: dict[str, list[Entry]] = {}

    @property
    def stores(self) -> bool:
        """Say whether there is a store at all, be it in trouble."""
        return self._store is not None

    def resume(self) -> Resumed:
        """Go on with the conversation that was begun last on this console."""
        try:
            stored = self._store.latest(self._console) if self._store else None
        except StoreError as failure:
            self._fail(failure)
            stored = None
        if stored is None:
            return Resumed(Conversation())
        entries = list(stored.entries)
        unanswered = entries.pop().text if entries and entries[-1].role == "user" else ""
        # An answer whose question another console has deleted: chat templates want the person to begin.
        while entries and entries[0].role != "user":
            del entries[0]
        self._conversation = stored.id
        self._last = entries[-1].id if entries else None
        conversation = Conversation()
        for entry in entries:
            conversation = conversation.adding(entry.role, entry.text)
        return Resumed(conversation, unanswered)

    def begin(self) -> None:
        """Begin another conversation. It is the one to go on with from now on, even if nothing is said in it."""
        self._start()
        self._unsaved[self._conversation] = []
        self._flush()

    def add(self, role: Role, text: str) -> None:
        """Save a message that is complete. It follows the last one."""
        entry = Entry(_new_id(), self._last, role, text)
        self._before, self._last = self._last, entry.id
        self._unsaved.setdefault(self._conversation, []).append(entry)
        self._flush()

    def withdraw(self) -> None:
        """Take back the last message: it got no answer, and what comes next follows the one before it."""
        self._last = self._before

    def forget(self) -> None:
        """Delete the conversations of all consoles, and begin another. Raises StoreError."""
        if self._store:
            self._store.forget()
        self._trouble = None
        self._unsaved = {}
        self._start()

    def _start(self) -> None:
        self._conversation = _new_id()
        self._last = self._before = None

    def _flush(self) -> None:
        if self._store is None or (self._trouble and self._trouble.lasts):
            return
        try:
            for conversation, entries in list(self._unsaved.items()):
                self._store.save(conversation, self._console, entries)
                del self._unsaved[conversation]
        except StoreError as failure:
            self._fail(failure)
            return
        if self._trouble:
            self._trouble = None
            self._notify(voice.SAVING_AGAIN)

    def _fail(self, failure: StoreError) -> None:
        if self._trouble is None or failure.lasts:
            self._notify(str(failure))
        self._trouble = failure


def _new_id() -> str:
    # Made here and not by the database: a message can have a place before it can be saved, and an id is never reused.
    return os.urandom(8).hex()
