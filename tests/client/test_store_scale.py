"""Ten thousand conversations with two hundred thousand messages are no reason to wait."""

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import accumulate
from pathlib import Path

import pytest

from claudine.record import Record
from claudine.store import FILE, Store

CONVERSATIONS, MESSAGES_EACH = 10_000, 20


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written past the store, which would sync each conversation to the disk, but into its own tables."""
    directory = tmp_path_factory.mktemp("large")
    Store(str(directory)).resume("tty1")
    with closing(sqlite3.connect(directory / FILE)) as database, database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("DROP TRIGGER messages_said")
        database.executemany(
            "INSERT INTO conversations (id, title, changed, leaf) VALUES (?, ?, ?, ?)",
            (
                (
                    f"c{number}",
                    f"Conversation {number}",
                    (number + 1) * MESSAGES_EACH,
                    f"m{(number + 1) * MESSAGES_EACH}",
                )
                for number in range(CONVERSATIONS)
            ),
        )
        database.executemany(
            "INSERT INTO messages (number, id, conversation, parent, role, text, said_at) VALUES (?, ?, ?, ?, ?, ?, 0)",
            (
                (
                    number,
                    f"m{number}",
                    f"c{(number - 1) // MESSAGES_EACH}",
                    f"m{number - 1}" if (number - 1) % MESSAGES_EACH else None,
                    "user" if number % 2 else "assistant",
                    text,
                )
                for number, text in enumerate(texts(CONVERSATIONS * MESSAGES_EACH), 1)
            ),
        )
        database.execute("INSERT INTO words (words) VALUES ('rebuild')")
        database.execute("INSERT INTO consoles (console, conversation) VALUES ('tty1', 'c5000')")
    return directory


def texts(count: int) -> list[str]:
    """Return texts whose words are as unevenly common as those of a language."""
    chance = random.Random(1)
    vocabulary = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(1, 9))) for _ in range(20_000)]
    weights = list(accumulate(1 / rank for rank in range(1, len(vocabulary) + 1)))
    words = chance.choices(vocabulary, cum_weights=weights, k=100_000)
    places = chance.choices(range(len(words) - 40), k=count)
    return [" ".join(words[place : place + 8 + place % 32]) for place in places]


def seconds(action: Callable[[], object]) -> float:
    """Return the best of three times, of the processor's: the machine has other things to do."""
    times = []
    for _ in range(3):
        started_s = time.process_time()
        action()
        times.append(time.process_time() - started_s)
    return min(times)


def test_the_list_takes_less_than_a_tenth_of_a_second(directory: Path) -> None:
    store = Store(str(directory))
    assert len(store.chats()) == CONVERSATIONS
    assert seconds(store.chats) < 0.1


def test_a_search_takes_less_than_a_fifth_of_a_second(directory: Path) -> None:
    store = Store(str(directory))
    # What stands everywhere, the beginning of nearly everything, a rare word, and nothing.
    common, rare = "a", texts(1)[0].split()[-1]
    for words in (common, f"{common} {common}", "b", "conversation 77", rare, f"{rare} {common}", "zzzzzzzzzz"):
        assert seconds(partial(store.search, words)) < 0.2, words
    assert len(store.search(common)) >= 100


def test_going_on_where_one_was_takes_less_than_half_a_second(directory: Path) -> None:
    record = Record(Store(str(directory)), "tty1", pytest.fail)
    assert record.resume()
    assert len(record.path) == MESSAGES_EACH
    assert seconds(record.resume) < 0.5
    assert seconds(lambda: record.open("c77")) < 0.1


def test_saving_and_deleting_stay_quick(directory: Path) -> None:
    record = Record(Store(str(directory)), "tty2", pytest.fail)

    def say() -> None:
        record.add("user", "Heliotrope?")

    assert seconds(say) < 0.1
    deleting = record.id
    assert len(record.chats("heliotrope")) == 1
    started_s = time.process_time()
    record.delete(deleting)
    # It puts the whole index together, so that no word of it stays.
    assert time.process_time() - started_s < 3
    assert b"heliotrope" not in (directory / FILE).read_bytes()
