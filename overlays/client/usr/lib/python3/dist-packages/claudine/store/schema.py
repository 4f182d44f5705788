"""The tables, and the steps that lead to them.

    conversations   one row each; *changed* is the number of its newest message, so that the order in which they were
                    used does not depend on a clock that may be wrong
    messages        a tree: what was asked anew is a branch beside what was asked before
    consoles        where each of them is, and what stands on its line
    words           the index for searching; the text itself stays in ``messages``

``user_version`` counts the steps that a file has been through. A step is never changed, only followed by another.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from claudine import voice
from claudine.store.errors import StoreError
from claudine.text import first_words

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
    (
        "ALTER TABLE conversations ADD COLUMN title TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE conversations ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE conversations ADD COLUMN changed INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE conversations ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0",
        # No foreign key: it would need an index, and a leaf that is gone is easily replaced by the newest message.
        "ALTER TABLE conversations ADD COLUMN leaf TEXT",
        "ALTER TABLE conversations ADD COLUMN settings TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE messages ADD COLUMN trace TEXT NOT NULL DEFAULT ''",
        # Whoever deletes a message has to know that nothing follows it.
        "CREATE INDEX messages_by_parent ON messages (parent)",
        """
        CREATE TABLE consoles (
            console TEXT PRIMARY KEY,
            conversation TEXT REFERENCES conversations (id) ON DELETE SET NULL,
            draft TEXT NOT NULL DEFAULT ''
        ) STRICT
        """,
        """
        INSERT INTO consoles (console, conversation)
        SELECT console, id FROM conversations WHERE number IN (SELECT max(number) FROM conversations GROUP BY console)
        """,
        # An empty one only said that a console had begun afresh; ``consoles`` says that now.
        "DELETE FROM conversations WHERE id NOT IN (SELECT conversation FROM messages)",
        """
        UPDATE conversations SET
            (changed, changed_at, leaf) = (
                SELECT number, said_at, id FROM messages
                WHERE conversation = conversations.id ORDER BY number DESC LIMIT 1
            ),
            title = coalesce((
                SELECT first_words(text) FROM messages
                WHERE conversation = conversations.id AND role = 'user' ORDER BY number LIMIT 1
            ), '')
        """,
        "ALTER TABLE conversations DROP COLUMN console",
        """
        CREATE VIRTUAL TABLE words USING fts5 (
            text, content = 'messages', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
        )
        """,
        "INSERT INTO words (words) VALUES ('rebuild')",
        """
        CREATE TRIGGER messages_said AFTER INSERT ON messages BEGIN
            INSERT INTO words (rowid, text) VALUES (new.number, new.text);
        END
        """,
        """
        CREATE TRIGGER messages_grown AFTER UPDATE OF text ON messages BEGIN
            INSERT INTO words (words, rowid, text) VALUES ('delete', old.number, old.text);
            INSERT INTO words (rowid, text) VALUES (new.number, new.text);
        END
        """,
        """
        CREATE TRIGGER messages_deleted AFTER DELETE ON messages BEGIN
            INSERT INTO words (words, rowid, text) VALUES ('delete', old.number, old.text);
        END
        """,
    ),
)


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Do all of the block or nothing."""
    database.execute("BEGIN IMMEDIATE")
    with database:
        yield


def migrate(database: sqlite3.Connection) -> None:
    """Bring the file to the last step. Raises StoreError if it is beyond that, or damaged."""
    if _version(database) == len(_STEPS):
        return
    with transaction(database):
        # Asked again: another console may have been faster.
        version = _version(database)
        if version > len(_STEPS):
            raise StoreError(voice.STORE_NEWER, lasts=True)
        if version:
            check(database, "messages")
        database.create_function("first_words", 1, first_words)
        for statement in (statement for step in _STEPS[version:] for statement in step):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {len(_STEPS)}")


def check(database: sqlite3.Connection, *tables: str) -> None:
    """Raise StoreError if one of *tables* or its indices are damaged.

    Not ``words``: it is as large as all the rest, and made of it.
    """
    for table in tables:
        if database.execute(f"PRAGMA quick_check ('{table}')").fetchone()[0] != "ok":
            raise StoreError(voice.STORE_DAMAGED, lasts=True)


def _version(database: sqlite3.Connection) -> int:
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version
