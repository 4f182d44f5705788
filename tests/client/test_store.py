"""What was said is on the disk when it was said; and no state of the disk is an exception that nobody expects."""

import random
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from claudine import voice
from claudine.record import Record
from claudine.store import FILE, Change, Place, Store, StoreError
from claudine.tree import Entry
from tests.client.conftest import ENV

# Says on standard output how far it has come, after each message that is saved.
TALKER = """
import sys
from claudine.record import Record
from claudine.store import Store
record = Record(Store(sys.argv[1]), sys.argv[2], notify=sys.exit)
record.resume()
number = len(record.path)
for number in range(number, number + int(sys.argv[3])):
    record.add("assistant" if number % 2 else "user", str(number))
    print(number, flush=True)
"""

# Does everything that can be done with conversations, without end, and says how far an answer has come.
BUSYBODY = """
import itertools, sys
import claudine.record
from claudine.record import Record
from claudine.store import Store
claudine.record._SAVE_EVERY_S = 0.0
record = Record(Store(sys.argv[1]), "tty1", notify=sys.exit)
record.resume()
for round in itertools.count():
    if round % 3 == 0:
        record.begin()
    record.add("user", "Count to ten.")
    record.keep_draft(f"What I write meanwhile, {round}")
    record.add("assistant", "")
    for number in range(1, 11):
        record.extend(f"{round}: " + " ".join(str(n) for n in range(1, number + 1)))
        print(round, number, flush=True)
    record.complete("{}")
    record.set_title(f"Counting {round}")
    record.add("user", "Never mind.")
    record.withdraw()
    if round % 5 == 4:
        record.delete(record.chats()[-1].id)
"""


class Talk:
    """A record on *directory*, and what it notified of."""

    def __init__(self, directory: Path, console: str = "tty1") -> None:
        self.notices: list[str] = []
        self.record = Record(Store(str(directory)), console, self.notices.append)
        self.record.resume()
        self.unanswered = ""
        if self.record.path and self.record.path[-1].role == "user":
            self.unanswered = self.record.path[-1].text
            self.record.withdraw()
        self.texts = [entry.text for entry in self.record.path]

    def exchange(self, question: str, answer: str) -> None:
        self.record.add("user", question)
        self.record.add("assistant", answer)


def talker(directory: Path, console: str, messages: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", TALKER, str(directory), console, str(messages)]
    return subprocess.Popen(command, env=ENV, stdout=subprocess.PIPE, text=True)


def test_a_conversation_goes_on_where_it_was(tmp_path: Path) -> None:
    Talk(tmp_path).exchange("Where?", "Here.")
    again = Talk(tmp_path)
    assert (again.texts, again.unanswered, again.notices) == (["Where?", "Here."], "", [])
    again.exchange("When?", "Now.")
    assert Talk(tmp_path).texts == ["Where?", "Here.", "When?", "Now."]


def test_each_console_has_its_own(tmp_path: Path) -> None:
    Talk(tmp_path, "tty1").exchange("Q1", "A1")
    assert Talk(tmp_path, "ttyS0").texts == []
    Talk(tmp_path, "ttyS0").exchange("Q2", "A2")
    assert Talk(tmp_path, "tty1").texts == ["Q1", "A1"]


def test_after_a_new_one_the_old_one_is_kept_but_not_resumed(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    talk.exchange("Q1", "A1")
    talk.record.begin()
    assert Talk(tmp_path).texts == []
    talk.exchange("Q2", "A2")
    assert Talk(tmp_path).texts == ["Q2", "A2"]
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
        assert database.execute("SELECT count(*) FROM messages").fetchone() == (4,)


def test_a_message_without_an_answer_comes_back_as_a_draft(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    talk.exchange("Q1", "A1")
    talk.record.add("user", "Q2")
    again = Talk(tmp_path)
    assert (again.texts, again.unanswered) == (["Q1", "A1"], "Q2")
    again.record.add("user", "Q2, please")
    again.record.withdraw()
    again.exchange("Q3", "A3")
    assert Talk(tmp_path).texts == ["Q1", "A1", "Q3", "A3"]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    Talk(tmp_path).exchange("Q1", "A1")
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_every_message_survives_a_kill(tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(20):
        process = talker(tmp_path, "tty1", 1000)
        assert process.stdout
        said += [process.stdout.readline().strip() for _ in range(random.randint(1, 6))]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.read().split()
        process.wait()
        process.stdout.close()
        talk = Talk(tmp_path)
        there = [*talk.texts, *filter(None, [talk.unanswered])]
        # The one that was saved when the kill came, before that could be printed.
        extra = there[len(said) :]
        assert (there[: len(said)], len(extra) <= 1) == (said, True)
        said = talk.texts


def test_a_kill_at_any_moment_leaves_a_sound_file_and_an_answer_as_far_as_it_was_told(tmp_path: Path) -> None:
    for _ in range(15):
        command = [sys.executable, "-c", BUSYBODY, str(tmp_path)]
        with subprocess.Popen(command, env=ENV, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            told = process.stdout.readline()
            time.sleep(random.random() / 10)
            process.kill()
            told = ([told, *process.stdout])[-1].strip()
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
            # Raises if the index does not say what the messages say.
            database.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
        record = Record(Store(str(tmp_path)), "tty1", pytest.fail)
        record.resume()
        answers = [entry.text.split() for entry in record.tree.entries if entry.role == "assistant"]
        counted = {round_: numbers for round_, *numbers in answers}
        assert all(numbers == [str(number + 1) for number in range(len(numbers))] for numbers in counted.values())
        round_, _, number = told.partition(" ")
        # Unless the kill came after the next conversation was begun, or this one deleted.
        if f"{round_}:" in counted:
            assert len(counted[f"{round_}:"]) >= int(number)


def test_consoles_that_start_and_talk_at_once_lose_nothing(tmp_path: Path) -> None:
    processes = [talker(tmp_path, f"tty{number}", 10) for number in range(4)]
    for process in processes:
        with process:
            assert process.communicate()[0].split() == [str(number) for number in range(10)]
        assert process.returncode == 0
    for number in range(4):
        assert Talk(tmp_path, f"tty{number}").texts == [str(number) for number in range(10)]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for place in random.Random(1).sample(range(200, len(data)), 3000):
        data[place] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"This is no database. " * 500),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        flip,
    ],
    ids=["another file", "cut off", "flipped bytes"],
)
def test_a_damaged_file_is_left_alone_until_it_is_deleted(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    Talk(tmp_path).exchange("Q1", "A1")
    damage(tmp_path / FILE)
    damaged = (tmp_path / FILE).read_bytes()
    talk = Talk(tmp_path)
    talk.exchange("Q2", "A2")
    talk.record.begin()
    assert talk.notices == [voice.STORE_DAMAGED]
    assert (tmp_path / FILE).read_bytes() == damaged
    talk.record.forget()
    talk.exchange("Q3", "A3")
    assert talk.notices == [voice.STORE_DAMAGED]
    assert Talk(tmp_path).texts == ["Q3", "A3"]


@pytest.mark.parametrize("then", ["say", "search", "delete"])
def test_a_damaged_index_is_made_anew_from_the_messages(tmp_path: Path, then: str) -> None:
    for number in range(3):
        Talk(tmp_path, f"tty{number}").exchange(f"Where is number {number}?", "Here.")
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
        # What it is made of, but not how its parts hang together.
        database.execute("UPDATE words_data SET block = randomblob(length(block)) WHERE id > 10")
    talk = Talk(tmp_path, "tty0")
    match then:
        case "say":
            for number in range(40):
                talk.exchange(f"And number {number}?", "There.")
        case "delete":
            talk.record.delete(talk.record.id)
    assert len(talk.record.chats("number")) == (2 if then == "delete" else 3)
    assert talk.notices == []
    assert Talk(tmp_path, "tty1").texts == ["Where is number 1?", "Here."]


def test_bytes_that_are_no_text_cost_only_themselves(tmp_path: Path) -> None:
    Talk(tmp_path).exchange("Where is it?", "Here.")
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes().replace(b"Where is it?", b"Where\xff\x1b[2Jit"))
    talk = Talk(tmp_path)
    assert (talk.texts, talk.notices) == (["Where\ufffd[2Jit", "Here."], [])


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Talk(tmp_path).exchange("Q1", "A1")
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
        database.execute("PRAGMA user_version = 99")
    talk = Talk(tmp_path)
    talk.exchange("Q2", "A2")
    assert talk.notices == [voice.STORE_NEWER]
    assert talk.texts == []


def full(database: sqlite3.Connection) -> sqlite3.Connection:
    database.execute("PRAGMA max_page_count = 1")
    return database


def test_what_a_full_disk_refused_is_saved_once_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk(tmp_path)
    talk.exchange("Q1", "A1")
    with monkeypatch.context() as patched:
        connect = sqlite3.connect
        patched.setattr(sqlite3, "connect", lambda *arguments, **options: full(connect(*arguments, **options)))
        talk.exchange("Q2" * 9000, "A2")
        talk.record.begin()
        talk.exchange("Q3" * 9000, "A3")
        assert talk.notices == [voice.STORE_FULL]
        assert Talk(tmp_path).texts == ["Q1", "A1"]
    talk.exchange("Q4", "A4")
    assert talk.notices == [voice.STORE_FULL, voice.SAVING_AGAIN]
    assert Talk(tmp_path).texts == ["Q3" * 9000, "A3", "Q4", "A4"]
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
        assert database.execute("SELECT count(*) FROM messages").fetchone() == (8,)


def test_an_answer_that_fills_the_disk_goes_on_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk(tmp_path)
    talk.record.add("user", "Q1")
    talk.record.add("assistant", "")
    with monkeypatch.context() as patched:
        patched.setattr("claudine.record._SAVE_EVERY_S", 0.0)
        connect = sqlite3.connect
        patched.setattr(sqlite3, "connect", lambda *arguments, **options: full(connect(*arguments, **options)))
        for length in range(1, 5):
            talk.record.extend("word " * 5000 * length)
    assert talk.notices == [voice.STORE_FULL]
    talk.record.complete()
    assert talk.notices == [voice.STORE_FULL, voice.SAVING_AGAIN]
    assert Talk(tmp_path).texts == ["Q1", "word " * 20_000]


def test_a_missing_folder_is_one_sentence_and_coming_back_another(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    talk = Talk(folder)
    talk.exchange("Q1", "A1")
    sentence = voice.STORE_UNUSABLE.format(reason="No such file or directory")
    assert talk.notices == [sentence]
    folder.mkdir()
    talk.exchange("Q2", "A2")
    assert talk.notices == [sentence, voice.SAVING_AGAIN]
    assert Talk(folder).texts == ["Q1", "A1", "Q2", "A2"]


def test_forgetting_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    talk, other = Talk(tmp_path, "tty1"), Talk(tmp_path, "ttyS0")
    talk.exchange("My secret is 42.", "I see.")
    other.exchange("Mine is 43.", "Oh.")
    talk.record.forget()
    assert list(tmp_path.iterdir()) == []
    # The other console knows of nothing, and what it says from now on is saved; what was forgotten stays forgotten.
    other.exchange("And mine?", "Gone.")
    talk.exchange("What is it?", "I forgot.")
    assert Talk(tmp_path, "ttyS0").texts == ["And mine?", "Gone."]
    assert Talk(tmp_path, "tty1").texts == ["What is it?", "I forgot."]
    assert other.notices == []


def test_what_was_forgotten_between_question_and_answer_leaves_no_half(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "tty1")
    talk.record.add("user", "Q1")
    Talk(tmp_path, "ttyS0").record.forget()
    talk.record.add("assistant", "A1")
    assert Talk(tmp_path, "tty1").texts == []
    talk.exchange("Q2", "A2")
    assert Talk(tmp_path, "tty1").texts == ["Q2", "A2"]


def test_saving_twice_is_saving_once(tmp_path: Path) -> None:
    entries = (Entry("m1", None, "user", "Q"), Entry("m2", "m1", "assistant", "A"))
    change = Change("c").having(entries[0]).having(entries[1]).setting(leaf="m2")
    store = Store(str(tmp_path))
    for _ in range(2):
        store.save(change, Place("tty1", "c", "So?"))
        stored, draft = store.resume("tty1")
        assert stored is not None
        assert (stored.path, stored.title, draft) == (entries, "Q", "So?")


def test_what_cannot_be_deleted_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(StoreError, match=r"I could not delete what I have stored: Is a directory\."):
        Store(str(tmp_path)).forget()
