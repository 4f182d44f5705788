"""What can go wrong with the store, each in one sentence."""

import errno
import sqlite3

from claudine import voice
from claudine.voice import chats as chats_voice


class StoreError(Exception):
    """Its text is the sentence that says what is the matter. One that *lasts* does not go away by trying again."""

    def __init__(self, sentence: str, *, lasts: bool = False) -> None:
        super().__init__(sentence)
        self.lasts = lasts


class IndexDamagedError(StoreError):
    """The index for searching is damaged; the messages it is made of need not be."""


class GoneError(StoreError):
    """There is no such conversation."""


class BelongsElsewhereError(StoreError):
    """A message of one conversation is another one's here."""


def store_error(error: sqlite3.Error | OSError, sentence: str | None = None) -> StoreError:
    """Turn what SQLite or the system says into the sentence for it.

    *sentence*, with a place for the reason, is for whoever does something else than saving what is said.
    """
    # The low byte is the kind of error; the rest says more about it.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)):
        return StoreError(sentence.format(reason=chats_voice.FULL) if sentence else voice.STORE_FULL)
    if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) == sqlite3.SQLITE_CORRUPT_VTAB:
        return IndexDamagedError(voice.STORE_DAMAGED, lasts=True)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreError(voice.STORE_DAMAGED, lasts=True)
    reason = error.strerror if isinstance(error, OSError) else error
    return StoreError((sentence or voice.STORE_UNUSABLE).format(reason=reason))
