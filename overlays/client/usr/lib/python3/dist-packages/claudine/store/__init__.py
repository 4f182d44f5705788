"""Conversations on the disk: one SQLite file.

    store = Store("/var/lib/claudine")
    store.save(Change("c1").having(Entry("m1", None, "user", "Where?")), Place("tty1", "c1", draft=""))
    store.resume("tty1")    → the conversation with this one message, and an empty draft

Every call opens the file and closes it again. So nothing has to be mended when a disk was full or came late, and a
file that another console deleted is not written to any more. Everything raises StoreError and nothing else.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Concatenate, Literal, ParamSpec, TypeVar

from claudine import voice
from claudine.conversation import ChatSettings, Role
from claudine.store.chat import Change, Chat, Place, Summary, default_title
from claudine.store.errors import BelongsElsewhereError, GoneError, IndexDamagedError, StoreError, store_error
from claudine.store.schema import check, migrate, transaction
from claudine.store.search import excerpts, titles_with, words_of
from claudine.text import printable
from claudine.tree import Entry, Tree
from claudine.voice import chats as chats_voice

__all__ = ["FILE", "BelongsElsewhereError", "Change", "Chat", "GoneError", "Place", "Store", "StoreError", "Summary"]

FILE = "conversations.db"

# Another console saves in milliseconds; whoever takes longer is stuck.
_BUSY_S = 5.0


P = ParamSpec("P")
R = TypeVar("R")


def _mending_index(method: Callable[Concatenate["Store", P], R]) -> Callable[Concatenate["Store", P], R]:
    """Have *method* done again with a new index if the old one is damaged."""

    @wraps(method)
    def mended(store: "Store", /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(store, *args, **kwargs)
        except IndexDamagedError:
            store.renew_index()
            return method(store, *args, **kwargs)

    return mended


class Store:
    """The conversations in *directory*, which must be there."""

    def __init__(self, directory: str) -> None:
        self._path = Path(directory, FILE)

    def resume(self, console: str) -> tuple[Chat | None, str]:
        """Return the conversation that *console* is in, if it is in one, and its draft. Looks for damage first."""
        with self._opened() as database:
            check(database, "conversations", "messages", "consoles")
            found = database.execute(
                "SELECT conversation, draft FROM consoles WHERE console = ?", (console,)
            ).fetchone()
            id_, draft = found or (None, "")
            return _read(database, id_) if id_ else None, printable(draft)

    def read(self, id_: str) -> Chat:
        """Return the conversation *id_*."""
        with self._opened(chats_voice.UNREADABLE, make=False) as database:
            chat = _read(database, id_)
        if chat is None:
            raise GoneError(chats_voice.GONE)
        return chat

    def chats(self) -> list[Summary]:
        """Return all conversations: those that are pinned first, then by when they were used last."""
        with self._opened(chats_voice.UNREADABLE, make=False) as database:
            return _summaries(database)

    def each(self) -> Iterator[Chat]:
        """Return one conversation after the other, the one that was used last at the end."""
        with self._opened(chats_voice.UNREADABLE, make=False) as database:
            ids = database.execute("SELECT id FROM conversations ORDER BY changed, number").fetchall()
            for (id_,) in ids:
                if chat := _read(database, id_):
                    yield chat

    @_mending_index
    def search(self, text: str) -> list[Summary]:
        """Return the conversations with all the words of *text* in one message or in the title, in the same order."""
        words = words_of(text)
        if not words:
            return []
        with self._opened(chats_voice.UNREADABLE, make=False) as database:
            found = excerpts(database, words)
            summaries = _summaries(database)
            titles = titles_with(words, (summary.title for summary in summaries))
            return [
                replace(summary, excerpt=found.get(summary.id, ""))
                for summary in summaries
                if summary.id in found or summary.title in titles
            ]

    @_mending_index
    def save(self, change: Change, place: Place | None = None) -> None:
        """Save *change*, all or nothing, and with it where a console is. What was saved before may come again."""
        with self._opened() as database, transaction(database):
            if change.entries:
                _save_entries(database, change.id, change.entries.values())
            for name, value in change.values.items():
                value = value.to_json() if isinstance(value, ChatSettings) else value
                value = printable(value) if isinstance(value, str) else value
                database.execute(f"UPDATE conversations SET {name} = ? WHERE id = ?", (value, change.id))
            _give_title(database, change.id, Tree(tuple(change.entries.values())))
            if change.withdrawn:
                _withdraw(database, change)
            if place:
                _save_place(database, place)

    def save_place(self, place: Place) -> None:
        """Save where a console is. A conversation that is not stored is none."""
        with self._opened() as database, transaction(database):
            _save_place(database, place)

    @_mending_index
    def add(self, chat: Chat) -> Literal["new", "extended", "known"]:
        """Add a conversation from somewhere else, all or nothing, and say what it was: *extended* by new messages.

        What is here already stays as it is. Raises BelongsElsewhereError for a message of another conversation.
        """
        with self._opened(chats_voice.NOT_ADDED) as database, transaction(database):
            here = {id_ for (id_,) in database.execute("SELECT id FROM messages WHERE conversation = ?", (chat.id,))}
            new = {entry.id: entry for entry in chat.tree.entries if entry.id not in here}
            if any(database.execute("SELECT 1 FROM messages WHERE id = ?", (id_,)).fetchone() for id_ in new):
                raise BelongsElsewhereError(chats_voice.MIXED)
            if new:
                _save_entries(database, chat.id, new.values())
            if not here:
                database.execute(
                    "UPDATE conversations SET title = ?, pinned = ?, leaf = ?, settings = ? WHERE id = ?",
                    (chat.title, chat.pinned, chat.leaf, chat.settings.to_json(), chat.id),
                )
                _give_title(database, chat.id, chat.tree)
            return "new" if not here else "extended" if new else "known"

    @_mending_index
    def delete(self, id_: str) -> None:
        """Delete the conversation *id_*, so that no byte of it is left in the file."""
        with self._opened(chats_voice.NOT_DELETED) as database, transaction(database):
            database.execute("DELETE FROM messages WHERE conversation = ?", (id_,))
            database.execute("DELETE FROM conversations WHERE id = ?", (id_,))
            # The index only notes what does not count any more; putting its parts together is what removes the words.
            database.execute("INSERT INTO words (words) VALUES ('optimize')")

    def renew_index(self) -> None:
        """Make the index for searching anew from the messages."""
        with self._opened() as database, transaction(database):
            database.execute("INSERT INTO words (words) VALUES ('rebuild')")

    def forget(self) -> None:
        """Delete all conversations, of every console.

        The file goes as a whole: that needs no free space, where deleting from it would; it works on a damaged one;
        and no page of it is left that an old text could be in.
        """
        try:
            # The database first: SQLite takes what it finds beside a new one as rubbish.
            for name in (FILE, f"{FILE}-journal"):
                self._path.with_name(name).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(voice.STORE_KEPT.format(reason=error.strerror)) from error

    @contextmanager
    def _opened(self, sentence: str | None = None, *, make: bool = True) -> Iterator[sqlite3.Connection]:
        try:
            path: Path | str = self._path
            if make:
                # For nobody else to read; SQLite gives its journal the same mode.
                self._path.touch(mode=0o600)
            elif not self._path.exists():
                # Whoever only looks leaves no file behind: made by root, it would lock the client out.
                self._path.parent.stat()
                path = ":memory:"
            with closing(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)) as database:
                # A byte that went bad costs a letter, not the conversation.
                database.text_factory = lambda raw: raw.decode("utf-8", "replace")
                # No write-ahead log: on a full disk it has no room for its index, without which nothing can be read.
                # NORMAL would do for a program that dies, but appliances are turned off at the wall, and what was on
                # the screen by then should be on the disk too. EXTRA is what promises that with this kind of journal.
                database.execute("PRAGMA synchronous = EXTRA")
                database.execute("PRAGMA foreign_keys = ON")
                # What is deleted is overwritten with zeros.
                database.execute("PRAGMA secure_delete = ON")
                # And what is worked on is written nowhere else.
                database.execute("PRAGMA temp_store = MEMORY")
                migrate(database)
                yield database
        except (sqlite3.Error, OSError) as error:
            raise store_error(error, sentence) from error
        except UnicodeDecodeError as error:
            # Python's module could not read even what SQLite said was wrong.
            raise StoreError(voice.STORE_DAMAGED, lasts=True) from error


def _read(database: sqlite3.Connection, id_: str) -> Chat | None:
    found = database.execute("SELECT title, pinned, leaf, settings FROM conversations WHERE id = ?", (id_,)).fetchone()
    if found is None:
        return None
    title, pinned, leaf, settings = found
    tree = _tree(database, id_)
    if leaf is not None and leaf not in tree.by_id:
        leaf = tree.entries[-1].id if tree.entries else None
    return Chat(id_, printable(title), bool(pinned), ChatSettings.from_json(settings), tree, leaf)


def _tree(database: sqlite3.Connection, conversation: str) -> Tree:
    rows = database.execute(
        "SELECT id, parent, role, text, trace, said_at FROM messages WHERE conversation = ? ORDER BY number",
        (conversation,),
    )
    entries: dict[str, Entry] = {}
    for id_, parent, role, text, trace, said_at in rows:
        # A parent that does not come first is damage.
        parent = parent if parent in entries else None
        # An answer whose question another console has deleted: chat templates want the person to begin.
        if parent is not None or role == "user":
            speaker: Role = "user" if role == "user" else "assistant"
            entries[id_] = Entry(id_, parent, speaker, printable(text), printable(trace), said_at)
    return Tree(tuple(entries.values()))


def _summaries(database: sqlite3.Connection) -> list[Summary]:
    rows = database.execute(
        "SELECT id, title, pinned, changed_at FROM conversations ORDER BY pinned DESC, changed DESC, number DESC"
    )
    return [Summary(id_, printable(title), bool(pinned), changed_at) for id_, title, pinned, changed_at in rows]


def _save_entries(database: sqlite3.Connection, conversation: str, entries: Collection[Entry]) -> None:
    if any(entry.role == "user" for entry in entries):
        database.execute("INSERT INTO conversations (id) VALUES (?) ON CONFLICT (id) DO NOTHING", (conversation,))
    elif not database.execute("SELECT 1 FROM conversations WHERE id = ?", (conversation,)).fetchone():
        # Another console has deleted it while it was answered: half of it does not come back.
        return
    newest = database.execute("SELECT max(number) FROM messages").fetchone()
    # A parent that another console has deleted since leaves its children without one.
    database.executemany(
        "INSERT INTO messages (id, conversation, parent, role, text, trace, said_at)"
        " VALUES (?, ?, (SELECT id FROM messages WHERE id = ?), ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET text = excluded.text, trace = excluded.trace"
        " WHERE (text, trace) IS NOT (excluded.text, excluded.trace)",
        [
            (entry.id, conversation, entry.parent, entry.role, printable(entry.text), entry.trace, entry.said_at)
            for entry in entries
        ],
    )
    if newest != database.execute("SELECT max(number) FROM messages").fetchone():
        database.execute(
            "UPDATE conversations SET (changed, changed_at) ="
            " (SELECT number, said_at FROM messages ORDER BY number DESC LIMIT 1) WHERE id = ?",
            (conversation,),
        )


def _give_title(database: sqlite3.Connection, conversation: str, tree: Tree) -> None:
    database.execute(
        "UPDATE conversations SET title = ? WHERE id = ? AND title = ''", (default_title(tree), conversation)
    )


def _withdraw(database: sqlite3.Connection, change: Change) -> None:
    # Another console may have gone on from there.
    database.executemany(
        "DELETE FROM messages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM messages WHERE parent = ?1)",
        [(id_,) for id_ in change.withdrawn],
    )
    database.execute(
        "DELETE FROM conversations WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation = ?1)",
        (change.id,),
    )


def _save_place(database: sqlite3.Connection, place: Place) -> None:
    database.execute(
        "INSERT INTO consoles (console, conversation, draft)"
        " VALUES (?, (SELECT id FROM conversations WHERE id = ?), ?)"
        " ON CONFLICT (console) DO UPDATE SET conversation = excluded.conversation, draft = excluded.draft",
        (place.console, place.conversation, printable(place.draft)),
    )
