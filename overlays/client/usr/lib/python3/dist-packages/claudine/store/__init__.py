"""Conversations on the disk: one SQLite file.

    store = Store("/var/lib/claudine")
    store.save("c1", "tty1", [Entry("m1", None, "user", "Where?")])
    store.latest("tty1")    → Stored("c1", (Entry("m1", None, "user", "Where?"),))

Every call opens the file and closes it again. So nothing has to be mended when a disk was full or came late, and a
file that another console deleted is not written to any more. Everything raises StoreError and nothing else.
"""

import errno
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from claudine import voice
from claudine.conversation import Role
from claudine.text import printable

FILE = "conversations.db"

# Another console saves in milliseconds; whoever takes longer is stuck.
_BUSY_S = 5.0

# user_version counts the steps that a file has been through. A step is never changed, only followed by another.
_STEPS = (
    (
        """
        CREATE TABLE conversations (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            console TEXT NOT NULL
        ) STRICT
        """,
        # A tree: what was asked anew, or got no answer, is a branch that nothing follows.
        """
        CREATE TABLE messages (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            conversation TEXT NOT NULL REFERENCES conversations (id),
            parent TEXT REFERENCES messages (id),
            role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
            text TEXT NOT NULL,
            said_at INTEGER NOT NULL -- seconds since 1970 by this machine's clock, which may be wrong: not for sorting
        ) STRICT
        """,
        "CREATE INDEX messages_by_conversation ON messages (conversation, number)",
    ),
)

_BRANCH = """
    WITH RECURSIVE branch (number, id, parent, role, text) AS (
        SELECT number, id, parent, role, text FROM messages
        WHERE number = (SELECT max(number) FROM messages WHERE conversation = ?)
        UNION ALL
        SELECT m.number, m.id, m.parent, m.role, m.text FROM messages AS m
        JOIN branch ON m.id = branch.parent AND m.number < branch.number
    )
    SELECT id, parent, role, text FROM branch ORDER BY number
"""


class StoreError(Exception):
    """Its text is the sentence that says what is the matter. One that *lasts* does not go away by trying again."""

    def __init__(self, sentence: str, *, lasts: bool = False) -> None:
        super().__init__(sentence)
        self.lasts = lasts


@dataclass(frozen=True)
class Entry:
    """A message with its place: *parent* is the id of the message that it follows."""

    id: str
    parent: str | None
    role: Role
    text: str


@dataclass(frozen=True)
class Stored:
    """A conversation's id, and its messages from the first to the last one said."""

    id: str
    entries: tuple[Entry, ...]


class Store:
    """The conversations in *directory*, which must be there."""

    def __init__(self, directory: str) -> None:
        self._path = Path(directory, FILE)

    def latest(self, console: str) -> Stored | None:
        """Return the conversation that was begun last on *console*."""
        with self._opened() as database:
            if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise StoreError(voice.STORE_DAMAGED, lasts=True)
            found = database.execute(
                "SELECT id FROM conversations WHERE console = ? ORDER BY number DESC LIMIT 1", (console,)
            ).fetchone()
            if found is None:
                return None
            rows = database.execute(_BRANCH, found)
            entries = tuple(Entry(id_, parent, role, printable(text)) for id_, parent, role, text in rows)
            return Stored(found[0], entries)

    def save(self, conversation: str, console: str, entries: Sequence[Entry]) -> None:
        """Save *entries*, all or none. What is there already, because an earlier call failed too late, stays."""
        now_s = int(time.time())
        with self._opened() as database, _transaction(database):
            database.execute(
                "INSERT INTO conversations (id, console) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
                (conversation, console),
            )
            # A parent that another console has deleted since leaves its children without one.
            database.executemany(
                "INSERT INTO messages (id, conversation, parent, role, text, said_at)"
                " VALUES (?, ?, (SELECT id FROM messages WHERE id = ?), ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                [(entry.id, conversation, entry.parent, entry.role, entry.text, now_s) for entry in entries],
            )

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
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            # For nobody else to read; SQLite gives its journal the same mode.
            self._path.touch(mode=0o600)
            with closing(sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)) as database:
                # A byte that went bad costs a letter, not the conversation.
                database.text_factory = lambda raw: raw.decode("utf-8", "replace")
                # No write-ahead log: on a full disk it has no room for its index, without which nothing can be read.
                # NORMAL would do for a program that dies, but appliances are turned off at the wall, and what was on
                # the screen by then should be on the disk too. EXTRA is what promises that with this kind of journal.
                database.execute("PRAGMA synchronous = EXTRA")
                database.execute("PRAGMA foreign_keys = ON")
                _migrate(database)
                yield database
        except (sqlite3.Error, OSError) as error:
            raise _store_error(error) from error
        except UnicodeDecodeError as error:
            # Python's module could not read even what SQLite said was wrong.
            raise StoreError(voice.STORE_DAMAGED, lasts=True) from error


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    with database:
        yield


def _migrate(database: sqlite3.Connection) -> None:
    if _version(database) == len(_STEPS):
        return
    with _transaction(database):
        # Asked again: another console may have been faster.
        version = _version(database)
        if version > len(_STEPS):
            raise StoreError(voice.STORE_NEWER, lasts=True)
        for statement in (statement for step in _STEPS[version:] for statement in step):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {len(_STEPS)}")


def _version(database: sqlite3.Connection) -> int:
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version


def _store_error(error: sqlite3.Error | OSError) -> StoreError:
    # The low byte is the kind of error; the rest says more about it.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)):
        return StoreError(voice.STORE_FULL)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreError(voice.STORE_DAMAGED, lasts=True)
    reason = error.strerror if isinstance(error, OSError) else error
    return StoreError(voice.STORE_UNUSABLE.format(reason=reason))
