"""The conversation of one console, saved as it is said.

    record = Record(Store("/var/lib/claudine"), "tty1", notify=print)
    record.resume()
    record.add("user", "Where?")
    record.add("assistant", "")
    record.extend("Over ")
    record.extend("Over there.")
    record.complete()

While the store fails, everything is kept here and saved with the next message that can be; the person hears of it
once when that begins and once when it is over. Nothing of a private conversation is ever given to the store.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from typing import Any, Final

from claudine import voice
from claudine.conversation import ChatSettings, Role
from claudine.store import Change, Chat, Place, Store, StoreError, Summary
from claudine.store.chat import default_title, given_title
from claudine.tree import Entry, Tree
from claudine.voice import chats as chats_voice

# What a power cut may take of an answer. Saving more often would wear out the disk for a few words.
_SAVE_EVERY_S = 1.0


class Last(Enum):
    """Says that a message follows the leaf: None is a place too, before the first message."""

    LAST = "last"


LAST: Final = Last.LAST


class Record:
    """Without a *store*, nothing is saved. *notify* gets a sentence for the person, in the thread that saves.

    It may be used from several threads.
    """

    def __init__(self, store: Store | None, console: str, notify: Callable[[str], None]) -> None:
        self.store = store
        self.private = False
        self.draft = ""
        self._console = console
        self._notify = notify
        self._lock = threading.Lock()
        self._notices: list[str] = []
        self._trouble: StoreError | None = None
        self._chat = Chat(_new_id())
        self._left: dict[str, tuple[str, ...]] = {}
        self._unsaved: dict[str, Change] = {}
        self._place_unsaved = False
        self._saved_s = 0.0

    @property
    def saves(self) -> bool:
        """Say whether the current conversation is on the disk, as far as anybody knows."""
        return self.store is not None and not self.private and self._trouble is None

    @property
    def id(self) -> str:
        """The current conversation's."""
        return self._chat.id

    @property
    def chat(self) -> Chat:
        """The current conversation as a whole, to be exported for example; a private one too."""
        return replace(self._chat, title=self.title)

    @property
    def tree(self) -> Tree:
        """All that was said in the current conversation, other branches too."""
        return self._chat.tree

    @property
    def leaf(self) -> str | None:
        """The message where it goes on; None is before the first one."""
        return self._chat.leaf

    @property
    def path(self) -> tuple[Entry, ...]:
        """The messages from the first one to the leaf."""
        return self._chat.path

    @property
    def title(self) -> str:
        """The title that was given, or the first words said; empty before that."""
        return self._chat.known_as

    @property
    def pinned(self) -> bool:
        """Say whether it stands at the top of the list."""
        return self._chat.pinned

    @property
    def settings(self) -> ChatSettings:
        """What was chosen for this conversation."""
        return self._chat.settings

    @property
    def prompts(self) -> tuple[str, ...]:
        """What the person has said in the current conversation, up to where we are."""
        return tuple(entry.text for entry in self.path if entry.role == "user")

    @property
    def earlier_prompts(self) -> tuple[str, ...]:
        """What they said here in others before, since this client began: none that is private, or deleted by now."""
        return tuple(text for id_, texts in self._left.items() if id_ != self.id for text in texts)

    def resume(self) -> bool:
        """Go on with the conversation used last on this console, and its draft; say whether there is one.

        If its leaf is a person's message, that got no answer.
        """
        with self._locked():
            try:
                chat, self.draft = self.store.resume(self._console) if self.store else (None, "")
            except StoreError as failure:
                self._fail(failure)
                return False
            self._chat = chat or self._chat
            return chat is not None

    def begin(self, *, private: bool = False) -> None:
        """Begin another conversation, to go on with from now on, even if nothing is said in it.

        Of a *private* one nothing is stored: after a restart, this console is where it was before.
        """
        with self._locked():
            self._enter(Chat(_new_id()), private=private)

    def open(self, conversation_id: str) -> None:
        """Go on with a conversation from the list. Raises StoreError."""
        with self._locked():
            unsaved = self._unsaved.get(conversation_id)
            try:
                chat = self._get_store().read(conversation_id)
            except StoreError:
                if unsaved is None:
                    raise
                chat = Chat(conversation_id)
            self._enter(unsaved.made_to(chat) if unsaved else chat)

    def chats(self, words: str = "") -> list[Summary]:
        """Return the stored conversations, or those in which *words* are found, as ``Store`` does. Raises StoreError.

        Those that wait to be stored come first.
        """
        with self._locked():
            store = self._get_store()
            stored = store.search(words) if words.strip() else store.chats()
            known = {summary.id for summary in stored}
            waiting = [
                Summary(change.id, change.made_to(Chat(change.id)).known_as)
                for change in self._unsaved.values()
                if change.entries and change.id not in known and not words.strip()
            ]
            return [*waiting, *stored]

    def add(self, role: Role, text: str, *, parent: str | Last | None = LAST) -> Entry:
        """Add a message, which becomes the leaf. One without text is saved when it has some."""
        with self._locked():
            if not self._chat.tree.entries:
                self._note(title=self._chat.title, pinned=self._chat.pinned, settings=self._chat.settings)
            entry = Entry(_new_id(), self.leaf if parent is LAST else parent, role, text, said_at=int(time.time()))
            if role == "user":
                self.draft = ""
            self._put(entry)
            self._flush()
            return entry

    def extend(self, text: str) -> None:
        """Note that the leaf, an answer that is being made, has grown to *text*."""
        with self._locked():
            self._put(replace(self._answer(), text=text))
            if time.monotonic() - self._saved_s >= _SAVE_EVERY_S:
                self._flush()

    def complete(self, trace: str = "") -> None:
        """Note that the leaf is final. *trace* is what is known of how it was made, as JSON."""
        with self._locked():
            self._put(replace(self._answer(), trace=trace))
            self._flush()

    def withdraw(self) -> None:
        """Take back the leaf: it got no answer. A person's message becomes the draft, and the store knows both."""
        with self._locked():
            if self.leaf is None:
                return
            tree = self._chat.tree
            entry = tree.by_id[self.leaf]
            if all(other.parent != entry.id for other in tree.entries):
                tree = tree.without(entry.id)
                self._note_change(lambda change: change.lacking(entry.id))
            if entry.role == "user":
                self.draft = entry.text
            self._chat = replace(self._chat, tree=tree, leaf=entry.parent)
            self._note(leaf=entry.parent)
            self._flush()

    def go_to(self, id_: str | None) -> None:
        """Make *id_* the leaf; what is said next follows it. None is before the first message."""
        with self._locked():
            if id_ is not None and id_ not in self.tree.by_id:
                raise KeyError(id_)
            self._set(leaf=id_)

    def keep_draft(self, text: str) -> None:
        """Keep what stands on the line, for when this client ends. It waits for the disk: not for every key."""
        with self._locked():
            if text != self.draft:
                self.draft = text
                self._place_unsaved = True
                self._flush()

    def set_title(self, title: str) -> None:
        """Call the conversation *title*; empty is what it is called by itself."""
        with self._locked():
            self._set(title=given_title(title) or default_title(self.tree))

    def set_pinned(self, pinned: bool) -> None:
        """Put it at the top of the list, or back among the others."""
        with self._locked():
            self._set(pinned=pinned)

    def set_settings(self, settings: ChatSettings) -> None:
        """Choose *settings* for this conversation."""
        with self._locked():
            self._set(settings=settings)

    def delete(self, conversation_id: str) -> None:
        """Delete a conversation for good; after the current one, another begins. Raises StoreError."""
        with self._locked():
            current = conversation_id == self.id
            if self.store and not (current and self.private):
                self.store.delete(conversation_id)
            self._unsaved.pop(conversation_id, None)
            if current:
                self._enter(Chat(_new_id()))
            self._left.pop(conversation_id, None)

    def forget(self) -> None:
        """Delete the conversations and drafts of all consoles, and begin another. Raises StoreError."""
        with self._locked():
            if self.store:
                self.store.forget()
            self._trouble = None
            self._unsaved, self._left = {}, {}
            self._chat, self.private = Chat(_new_id()), False
            self.draft, self._place_unsaved = "", False

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One thread at a time; what there is to say is said afterwards, when nobody has to wait for it."""
        with self._lock:
            yield
            notices, self._notices = self._notices, []
        for notice in notices:
            self._notify(notice)

    def _enter(self, chat: Chat, *, private: bool = False) -> None:
        # What was on the line in a private conversation stays there.
        if self.private:
            self.draft = ""
        else:
            self._left.pop(self.id, None)
            self._left[self.id] = self.prompts
        self._chat, self.private = chat, private
        self._place_unsaved = not private
        self._flush()

    def _get_store(self) -> Store:
        if self.store is None:
            raise StoreError(chats_voice.NOTHING_STORED)
        return self.store

    def _answer(self) -> Entry:
        leaf = self.tree.by_id[self.leaf] if self.leaf else None
        if leaf is None or leaf.role != "assistant":
            raise ValueError("the leaf is no answer")
        return leaf

    def _put(self, entry: Entry) -> None:
        self._chat = replace(self._chat, tree=self._chat.tree.adding(entry), leaf=entry.id)
        if entry.text:
            self._note_change(lambda change: change.having(entry).setting(leaf=entry.id))

    def _set(self, **values: Any) -> None:
        self._chat = replace(self._chat, **values)
        # Before anything is said, there is nothing to keep them with.
        if self._chat.tree.entries:
            self._note(**values)
            self._flush()

    def _note(self, **values: Any) -> None:
        self._note_change(lambda change: change.setting(**values))

    def _note_change(self, change: Callable[[Change], Change]) -> None:
        if self.store and not self.private:
            self._unsaved[self.id] = change(self._unsaved.get(self.id, Change(self.id)))

    def _flush(self) -> None:
        if self.store is None or (self._trouble and self._trouble.lasts):
            return
        place = None if self.private else Place(self._console, self.id, self.draft)
        try:
            for id_, change in list(self._unsaved.items()):
                self.store.save(change, place if id_ == self.id else None)
                del self._unsaved[id_]
                self._place_unsaved &= id_ != self.id
            if place and self._place_unsaved:
                self.store.save_place(place)
                self._place_unsaved = False
        except StoreError as failure:
            self._fail(failure)
            return
        finally:
            self._saved_s = time.monotonic()
        if self._trouble:
            self._trouble = None
            self._notices.append(voice.SAVING_AGAIN)

    def _fail(self, failure: StoreError) -> None:
        if self._trouble is None or failure.lasts:
            self._notices.append(str(failure))
        self._trouble = failure


def _new_id() -> str:
    # Made here and not by the database: a message can have a place before it can be saved, and an id is never reused.
    return os.urandom(8).hex()
