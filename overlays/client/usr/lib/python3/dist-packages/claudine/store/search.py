"""Searching: every word counts, and the last one may be only begun."""

import re
import sqlite3
from collections.abc import Iterable

from claudine.text import one_line

# Nobody looks through more; the newest are the likeliest.
_MOST_FOUND = 100
# FTS5 refuses expressions without end.
_MOST_WORDS = 20


def words_of(text: str) -> list[str]:
    """Return the words in what a person typed; the rest means nothing."""
    import unicodedata

    return re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text))[:_MOST_WORDS]


def titles_with(words: list[str], titles: Iterable[str]) -> set[str]:
    """Return those of *titles* with all of *words*, in the way of the index: without regard to case and accents."""
    *whole, begun = [_folded(word) for word in words]
    found = set()
    for title in titles:
        there = words_of(_folded(title))
        if set(whole) <= set(there) and any(word.startswith(begun) for word in there):
            found.add(title)
    return found


def _folded(text: str) -> str:
    import unicodedata

    if text.isascii():
        return text.lower()
    return "".join(part for part in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(part))


def excerpts(database: sqlite3.Connection, words: list[str]) -> dict[str, str]:
    """Return where *words* stand, by the id of each conversation, the newest messages first."""
    expression = " ".join(f'"{word}"' for word in words) + "*"
    rows = database.execute(
        "SELECT conversation, snippet (words, 0, '', '', '...', 12) FROM words"
        " JOIN messages ON number = words.rowid WHERE words MATCH ? ORDER BY words.rowid DESC",
        (expression,),
    )
    found: dict[str, str] = {}
    # One row after the other: a word that stands everywhere is found soon often enough.
    for conversation, excerpt in rows:
        found.setdefault(conversation, one_line(excerpt))
        if len(found) == _MOST_FOUND:
            break
    return found
