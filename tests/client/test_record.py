"""What a console keeps of its conversations: where it was, how far an answer had come, and of a private one nothing."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from claudine import voice
from claudine.conversation import ChatSettings
from claudine.record import Record
from claudine.store import FILE, Store, StoreError

MARKER = "heliotrope"


def record(directory: Path, console: str = "tty1") -> Record:
    opened = Record(Store(str(directory)), console, pytest.fail)
    opened.resume()
    return opened


def texts(record: Record) -> list[str]:
    return [entry.text for entry in record.path]


def say(record: Record, *texts: str) -> None:
    for number, text in enumerate(texts):
        record.add("assistant" if number % 2 else "user", text)


def test_an_answer_is_saved_as_it_grows_and_when_it_is_complete(tmp_path: Path) -> None:
    talking = record(tmp_path)
    talking.add("user", "Count.")
    talking.add("assistant", "")
    assert texts(record(tmp_path)) == ["Count."]
    talking._saved_s = 0.0
    talking.extend("One,")
    assert texts(record(tmp_path)) == ["Count.", "One,"]
    # Within the second, the disk is left alone.
    talking.extend("One, two.")
    assert texts(record(tmp_path)) == ["Count.", "One,"]
    talking.complete('{"seconds": 2}')
    resumed = record(tmp_path)
    assert texts(resumed) == ["Count.", "One, two."]
    assert resumed.path[-1].trace == '{"seconds": 2}'


def test_an_answer_without_a_word_leaves_nothing_behind(tmp_path: Path) -> None:
    talking = record(tmp_path)
    say(talking, "Q1", "A1", "Q2")
    talking.add("assistant", "")
    talking.complete()
    talking.withdraw()
    talking.withdraw()
    assert (texts(talking), talking.draft) == (["Q1", "A1"], "Q2")
    assert [entry.text for entry in talking.tree.entries] == ["Q1", "A1"]
    resumed = record(tmp_path)
    assert (texts(resumed), resumed.draft) == (["Q1", "A1"], "Q2")


def test_taking_back_the_only_message_takes_back_the_conversation(tmp_path: Path) -> None:
    talking = record(tmp_path)
    talking.set_settings(ChatSettings(persona="Be brief."))
    say(talking, "Q1")
    talking.withdraw()
    assert talking.chats() == []
    assert record(tmp_path).draft == "Q1"
    say(talking, "Q1, please", "A1")
    resumed = record(tmp_path)
    assert (resumed.title, resumed.settings.persona, resumed.draft) == ("Q1, please", "Be brief.", "")


def test_a_branch_is_kept_and_where_one_was_too(tmp_path: Path) -> None:
    talking = record(tmp_path)
    say(talking, "Q1", "A1", "Q2", "A2")
    first, answer = talking.path[:2]
    talking.add("assistant", "A1 anew", parent=first.id)
    assert texts(record(tmp_path)) == ["Q1", "A1 anew"]
    talking.go_to(talking.tree.leaf_below(answer.id))
    assert texts(record(tmp_path)) == ["Q1", "A1", "Q2", "A2"]
    talking.go_to(None)
    assert texts(record(tmp_path)) == []
    talking.add("user", "Q1, once more")
    resumed = record(tmp_path)
    assert [entry.text for entry in resumed.tree.siblings(resumed.path[0])] == ["Q1", "Q1, once more"]
    with pytest.raises(KeyError):
        talking.go_to("nowhere")


def test_title_pin_and_settings_are_kept(tmp_path: Path) -> None:
    talking = record(tmp_path)
    assert talking.title == ""
    say(talking, "What   is\nthe capital of France, and since when has it been that, if I may ask?", "Paris.")
    assert talking.title == "What is the capital of France, and since..."
    talking.set_title("  Capitals\x1b[2J\n")
    talking.set_pinned(True)
    talking.set_settings(ChatSettings(temperature=1.0, seed=7))
    resumed = record(tmp_path)
    assert (resumed.title, resumed.pinned, resumed.settings) == (
        "Capitals[2J", True, ChatSettings(temperature=1.0, seed=7),
    )  # fmt: skip
    resumed.set_title("")
    assert record(tmp_path).title == "What is the capital of France, and since..."


def test_what_one_console_changes_is_not_undone_by_another(tmp_path: Path) -> None:
    one, other = record(tmp_path, "tty1"), record(tmp_path, "ttyS0")
    say(one, "Q1", "A1")
    other.open(one.id)
    other.set_title("Renamed elsewhere")
    say(one, "Q2", "A2")
    say(other, "Q3", "A3")
    resumed = record(tmp_path)
    assert (resumed.title, texts(resumed)) == ("Renamed elsewhere", ["Q1", "A1", "Q3", "A3"])
    assert [entry.text for entry in resumed.tree.entries] == ["Q1", "A1", "Q2", "A2", "Q3", "A3"]


def test_the_draft_is_there_again_until_it_is_said(tmp_path: Path) -> None:
    talking = record(tmp_path)
    talking.keep_draft("Half a")
    assert record(tmp_path).draft == "Half a"
    say(talking, "Half a question", "And an answer")
    assert record(tmp_path).draft == ""
    talking.keep_draft("Another")
    resumed = record(tmp_path)
    assert (resumed.draft, texts(resumed)) == ("Another", ["Half a question", "And an answer"])
    assert record(tmp_path, "ttyS0").draft == ""


def test_what_cannot_be_written_as_text_is_saved_without_it(tmp_path: Path) -> None:
    talking = record(tmp_path)
    say(talking, "Grüße \ud800", "\udfff")
    talking.set_settings(ChatSettings(persona="\ud800"))
    talking.keep_draft("\ud800")
    resumed = record(tmp_path)
    assert (texts(resumed), resumed.settings.persona, resumed.draft) == (["Grüße ?", "?"], "?", "?")


def test_of_a_private_conversation_no_byte_is_written(tmp_path: Path) -> None:
    talking = record(tmp_path)
    say(talking, "Q1", "A1")
    before = (tmp_path / FILE).read_bytes()
    talking.begin(private=True)
    assert (talking.private, texts(talking)) == (True, [])
    talking.set_settings(ChatSettings(persona=MARKER))
    say(talking, f"My word is {MARKER}.", f"I see: {MARKER}.", MARKER)
    talking.withdraw()
    talking.add("user", MARKER)
    talking.add("assistant", "")
    talking.extend(MARKER)
    talking.complete(MARKER)
    talking.set_title(MARKER)
    talking.go_to(talking.path[0].id)
    talking.keep_draft(MARKER)
    assert (talking.draft, talking.title) == (MARKER, MARKER)
    assert (tmp_path / FILE).read_bytes() == before
    assert texts(record(tmp_path)) == ["Q1", "A1"]
    talking.begin()
    assert (talking.private, talking.draft, talking.settings) == (False, "", ChatSettings())
    say(talking, "Q2", "A2")
    talking.keep_draft("Q3")
    assert MARKER.encode() not in (tmp_path / FILE).read_bytes()
    assert texts(record(tmp_path)) == ["Q2", "A2"]


@pytest.mark.parametrize("leave", ["open", "delete", "forget"])
def test_every_way_out_of_a_private_conversation_leaves_it_behind(tmp_path: Path, leave: str) -> None:
    talking = record(tmp_path)
    say(talking, "Q1", "A1")
    stored = talking.id
    talking.begin(private=True)
    say(talking, MARKER, MARKER)
    talking.keep_draft(MARKER)
    match leave:
        case "open":
            talking.open(stored)
        case "delete":
            talking.delete(talking.id)
        case "forget":
            talking.forget()
    assert (talking.private, talking.draft) == (False, "")
    say(talking, "Q2", "A2")
    assert MARKER.encode() not in (tmp_path / FILE).read_bytes()


@pytest.mark.parametrize("left_by", ["delete", "forget"])
def test_what_another_console_deletes_does_not_come_back(tmp_path: Path, left_by: str) -> None:
    one, other = record(tmp_path, "tty1"), record(tmp_path, "ttyS0")
    one.add("user", f"My word is {MARKER}.")
    one.add("assistant", "")
    other.delete(one.id) if left_by == "delete" else other.forget()
    # It is being answered here, and half of it must not be stored again.
    one.extend(f"Your word is {MARKER}.")
    one.complete()
    assert one.chats() == []
    say(one, "And now?", "A new beginning.")
    assert [summary.title for summary in one.chats()] == ["And now?"]
    assert texts(record(tmp_path)) == ["And now?", "A new beginning."]
    assert MARKER.encode() not in (tmp_path / FILE).read_bytes()


def test_a_conversation_that_is_gone_cannot_be_opened(tmp_path: Path) -> None:
    talking = record(tmp_path)
    say(talking, "Q1", "A1")
    with pytest.raises(StoreError, match="not there any more"):
        talking.open("0123456789abcdef")
    assert texts(talking) == ["Q1", "A1"]


def test_what_waits_for_a_disk_can_be_left_and_opened_again(tmp_path: Path) -> None:
    notices: list[str] = []
    folder = tmp_path / "store"
    talking = Record(Store(str(folder)), "tty1", notices.append)
    say(talking, "Q1", "A1")
    waiting = talking.id
    talking.begin()
    say(talking, "Q2", "A2")
    talking.open(waiting)
    assert texts(talking) == ["Q1", "A1"]
    folder.mkdir()
    talking.open(waiting)
    assert [summary.title for summary in talking.chats()] == ["Q2", "Q1"]
    assert len(notices) == 2


def test_what_is_written_while_an_answer_is_made_disturbs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claudine.record._SAVE_EVERY_S", 0.0)
    talking = record(tmp_path)
    talking.add("user", "Count.")
    talking.add("assistant", "")

    def answer() -> None:
        for number in range(100):
            talking.extend(" ".join(map(str, range(number + 1))))
        talking.complete()

    answering = threading.Thread(target=answer)
    answering.start()
    number = 0
    while answering.is_alive():
        number += 1
        talking.keep_draft(f"Draft {number}")
        assert talking.path[-1].role == "assistant"
    answering.join()
    resumed = record(tmp_path)
    assert (resumed.draft, resumed.path[-1].text.split()[-1]) == (f"Draft {number}", "99")


def test_only_an_answer_grows(tmp_path: Path) -> None:
    talking = record(tmp_path)
    with pytest.raises(ValueError, match="no answer"):
        talking.extend("One")
    talking.add("user", "Count.")
    with pytest.raises(ValueError, match="no answer"):
        talking.extend("One")
    assert texts(record(tmp_path)) == ["Count."]


def test_a_private_conversation_can_be_exported_by_who_is_in_it(tmp_path: Path) -> None:
    talking = record(tmp_path)
    talking.begin(private=True)
    say(talking, "Where?", "Here.")
    assert (talking.chat.title, [entry.text for entry in talking.chat.path]) == ("Where?", ["Where?", "Here."])


def test_without_a_store_everything_but_the_list_works() -> None:
    talking = Record(None, "", pytest.fail)
    assert not talking.resume()
    say(talking, "Q1", "A1")
    talking.keep_draft("Q2")
    talking.set_pinned(True)
    talking.withdraw()
    talking.begin()
    talking.forget()
    with pytest.raises(StoreError):
        talking.chats()


def test_a_file_of_the_first_version_is_taken_over_whole(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
        database.executescript(FIRST_VERSION)
    first, second, third = (record(tmp_path, console) for console in ("tty1", "ttyS0", "tty2"))
    # The one that was begun last was empty.
    assert (texts(first), first.title) == ([], "")
    assert (texts(second), second.title) == (["Wo?", "Hier."], "Wo?")
    assert texts(third) == ["Why?"]
    assert [summary.title for summary in first.chats()] == ["Why?", "Wo?", "What?"]
    first.open("c1")
    assert texts(first) == ["What is it?", "A slot."]
    assert [entry.text for entry in first.tree.entries] == ["What?", "What is it?", "A slot."]
    assert [summary.id for summary in first.chats("slot")] == ["c1"]
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_damaged_file_of_the_first_version_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / FILE
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(FIRST_VERSION)
    data = bytearray(path.read_bytes())
    data[-4096 * 2 + 5 : -4096 + 100] = b"\xff" * (4096 + 95)
    path.write_bytes(data)
    notices: list[str] = []
    talking = Record(Store(str(tmp_path)), "tty1", notices.append)
    assert not talking.resume()
    say(talking, "Q1", "A1")
    assert notices == [voice.STORE_DAMAGED]
    assert path.read_bytes() == bytes(data)


# As this program wrote it before there was a list of conversations.
FIRST_VERSION = """
    CREATE TABLE conversations (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        console TEXT NOT NULL
    ) STRICT;
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        conversation TEXT NOT NULL REFERENCES conversations (id),
        parent TEXT REFERENCES messages (id),
        role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
        text TEXT NOT NULL,
        said_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX messages_by_conversation ON messages (conversation, number);
    INSERT INTO conversations (id, console) VALUES ('c1', 'tty1'), ('c2', 'ttyS0'), ('c3', 'tty2'), ('c4', 'tty1');
    INSERT INTO messages (id, conversation, parent, role, text, said_at) VALUES
        ('m1', 'c1', NULL, 'user', 'What?', 1700000000),
        ('m2', 'c1', NULL, 'user', 'What is it?', 1700000001),
        ('m3', 'c1', 'm2', 'assistant', 'A slot.', 1700000002),
        ('m4', 'c2', NULL, 'user', 'Wo?', 3),
        ('m5', 'c2', 'm4', 'assistant', 'Hier.', 4),
        ('m6', 'c3', NULL, 'user', 'Why?', 1700000003);
    PRAGMA user_version = 1;
"""
