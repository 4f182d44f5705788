"""Conversations leave for a stick and come back whole; what a stick holds is believed only where it makes sense."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from claudine.conversation import ChatSettings
from claudine.record import Record
from claudine.store import Chat, Store
from claudine.store.jsonlines import line, parse
from claudine.store.transfer import TakenIn, TransferError, export, file_name, take_in, write_new
from claudine.tree import Entry, Tree
from claudine.voice import chats as voice
from tests.client.conftest import COMMAND, ENV

FORKED = Chat(
    "c1",
    "What is a slot?",
    True,
    ChatSettings(persona="Be brief.\n\nAnd kind.", seed=7),
    Tree(
        (
            Entry("q1", None, "user", "What is a slot?", said_at=1_700_000_000),
            Entry("a1", "q1", "assistant", "# A place\n\u2028Grüße", '{"seconds": 2.5}', 1_700_000_001),
            Entry("a2", "q1", "assistant", "A gap.", said_at=1_700_000_002),
        )
    ),
    "a1",
)
OTHER = Chat("c2", "Hello", tree=Tree((Entry("h1", None, "user", "Hello"),)), leaf="h1")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "store").mkdir()
    return Store(str(tmp_path / "store"))


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A stick with room for a hundred kilobytes or so."""
    path = tmp_path / "full"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "full", path], capture_output=True).returncode:
        pytest.skip("mounting a small file system takes root")
    yield path
    subprocess.run(["umount", path], check=True)


def filled(store: Store, *chats: Chat) -> Store:
    for chat in chats:
        store.add(chat)
    return store


def test_everything_survives_the_way_out_and_back(store: Store, stick: Path, tmp_path: Path) -> None:
    path = export(filled(store, FORKED, OTHER).each(), stick, "jsonl")
    assert [entry.name for entry in stick.iterdir()] == ["claudine-chats.jsonl"]
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Store(str(tmp_path / "elsewhere"))
    assert take_in(elsewhere, path) == TakenIn(new=2)
    assert list(elsewhere.each()) == [FORKED, OTHER] == list(store.each())
    assert [summary.title for summary in elsewhere.search("gru")] == ["What is a slot?"]
    assert take_in(elsewhere, path) == TakenIn(known=2)
    assert len(elsewhere.chats()) == 2


def test_a_later_export_brings_what_was_said_since(store: Store, stick: Path, tmp_path: Path) -> None:
    first = export(filled(store, FORKED).each(), stick, "jsonl")
    talking = Record(store, "tty1", pytest.fail)
    talking.open("c1")
    talking.add("user", "Since when?")
    second = export([store.read("c1")], stick, "jsonl")
    assert second.name == "claudine-chats-2.jsonl"
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Store(str(tmp_path / "elsewhere"))
    take_in(elsewhere, first)
    assert take_in(elsewhere, second) == TakenIn(extended=1)
    assert [entry.text for entry in elsewhere.read("c1").tree.entries][-1] == "Since when?"
    # An older copy takes nothing away.
    assert take_in(elsewhere, first) == TakenIn(known=1)
    assert len(elsewhere.read("c1").tree.entries) == 4


def test_markdown_is_for_reading(store: Store, stick: Path) -> None:
    path = export(filled(store, FORKED).each(), stick, "md")
    assert path.read_text() == (
        "# What is a slot?\n\n*2023-11-14*\n\nPersona:\n\n> Be brief.\n>\n> And kind.\n\n"
        "**You:**\n\nWhat is a slot?\n\n**Claudine:**\n\n# A place\n\u2028Grüße\n\n"
        "*One more message is on other branches; an export as JSON lines has them all.*\n\n"
    )


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("What is a slot?", "claudine-what-is-a-slot"),
        ("Grüße / ../../etc: CON", "claudine-grusse-etc-con"),
        ("Привет", "claudine-chat"),
        ("", "claudine-chat"),
        ("x" * 300, "claudine-" + "x" * 51),
    ],
)
def test_a_title_becomes_a_name_that_every_stick_takes(title: str, name: str) -> None:
    assert file_name(title) == name


def test_nothing_is_overwritten(stick: Path) -> None:
    (stick / "a.md").write_text("mine")
    (stick / "a-2.md").mkdir()
    assert write_new(stick, "a", ".md", ["new"]).name == "a-3.md"
    assert (stick / "a.md").read_text() == "mine"


def test_a_full_stick_is_one_sentence_and_keeps_nothing_half_written(full: Path, store: Store) -> None:
    (full / "mine.txt").write_text("mine")
    long = Chat("c3", "Long", tree=Tree((Entry("l1", None, "user", "word " * 50_000),)), leaf="l1")
    with pytest.raises(TransferError, match="not enough room"):
        export([FORKED, long], full, "md")
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert export([FORKED], full, "md").exists()


def test_a_stick_that_is_gone_or_a_file_that_is_none_is_one_sentence(store: Store, stick: Path) -> None:
    with pytest.raises(TransferError, match="No such file or directory"):
        export([FORKED], stick / "gone", "md")
    os.mkfifo(stick / "pipe.jsonl")
    for path in (stick, stick / "pipe.jsonl"):
        with pytest.raises(TransferError, match="I cannot read that file"):
            take_in(store, path)


def changed(**values: Any) -> bytes:
    return json.dumps({**json.loads(line(FORKED)), **values}).encode()


def message(number: int, **values: Any) -> bytes:
    content = json.loads(line(FORKED))
    content["messages"][number].update(values)
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xd8\xff a picture", voice.LINE_STRANGE),
        (b"[" * 100_000, voice.LINE_STRANGE),
        (b"[]", voice.LINE_STRANGE),
        (b'{"schema": "claudine-chat/1"', voice.LINE_STRANGE),
        (b'{"schema": ["claudine-chat/1"]}', voice.LINE_STRANGE),
        (changed(schema="claudine-chat/2"), voice.LINE_NEWER),
        (changed(id="../c1"), voice.LINE_ID.format(place="id")),
        (changed(id=7), voice.LINE_ID.format(place="id")),
        (changed(messages=[]), voice.LINE_EMPTY),
        (changed(messages={}), voice.LINE_EMPTY),
        (changed(messages=["Hello"]), voice.LINE_NO_OBJECT.format(place="messages[0]")),
        (changed(leaf="a9"), voice.LINE_LEAF.format(place="leaf")),
        (changed(leaf=[]), voice.LINE_LEAF.format(place="leaf")),
        (message(1, id="q1"), voice.LINE_TWICE.format(place="messages[1].id")),
        (message(1, id="\x1b[2J"), voice.LINE_ID.format(place="messages[1].id")),
        (message(1, parent="a2"), voice.LINE_PARENT.format(place="messages[1].parent")),
        (message(1, parent="a1"), voice.LINE_PARENT.format(place="messages[1].parent")),
        (message(1, parent=None), voice.LINE_FIRST.format(place="messages[1].role")),
        (message(0, role="system"), voice.LINE_ROLE.format(place="messages[0].role")),
        (message(0, text="\x1b"), voice.LINE_TEXT.format(place="messages[0].text")),
        (message(0, text=None), voice.LINE_TEXT.format(place="messages[0].text")),
        (message(0, said_at=-1), voice.LINE_TIME.format(place="messages[0].said_at")),
        (message(0, said_at=True), voice.LINE_TIME.format(place="messages[0].said_at")),
        (message(0, said_at=1.5), voice.LINE_TIME.format(place="messages[0].said_at")),
        (message(1, trace="fast"), voice.LINE_NO_OBJECT.format(place="messages[1].trace")),
    ],
)
def test_a_line_that_makes_no_sense_is_named_and_the_others_are_taken(
    store: Store, stick: Path, content: bytes, reason: str
) -> None:
    path = stick / "chats.jsonl"
    path.write_bytes(b"\xef\xbb\xbf\r\n" + content + b"\n" + line(OTHER).encode())
    done = take_in(store, path)
    assert (done.new, [(fault.line, fault.reason) for fault in done.faults]) == (1, [(2, reason)])
    assert [summary.id for summary in store.chats()] == ["c2"]


def test_what_may_be_missing_is_as_usual() -> None:
    least = {"schema": "claudine-chat/1", "id": "c1", "messages": [{"id": "m1", "role": "user", "text": "Hello"}]}
    chat = Chat("c1", tree=Tree((Entry("m1", None, "user", "Hello"),)), leaf="m1")
    assert parse(json.dumps(least).encode()) == chat
    strange = {**least, "colour": "red", "title": 3, "pinned": "yes", "settings": {"temperature": "hot"}}
    assert parse(json.dumps(strange).encode()) == chat


def test_what_a_terminal_would_obey_does_not_come_in(store: Store, stick: Path) -> None:
    path = stick / "chats.jsonl"
    path.write_bytes(
        changed(title="\x1b[2JTitle\n", messages=[{"id": "m1", "role": "user", "text": "\ud800\x1b[2J"}], leaf="m1")
    )
    assert take_in(store, path) == TakenIn(new=1)
    chat = store.read("c1")
    assert (chat.title, chat.path[0].text) == ("[2JTitle", "?[2J")


def test_a_message_of_another_conversation_is_not_taken_from_it(store: Store, stick: Path) -> None:
    path = stick / "chats.jsonl"
    path.write_bytes(changed(id="c9"))
    done = take_in(filled(store, FORKED), path)
    assert [fault.reason for fault in done.faults] == [voice.MIXED]
    assert list(store.each()) == [FORKED]


def test_a_file_without_sense_is_not_read_to_its_end(store: Store, stick: Path) -> None:
    path = stick / "chats.jsonl"
    path.write_bytes(b"nonsense\n" * 10_000)
    assert len(take_in(store, path).faults) == 20
    with path.open("wb") as file:
        file.truncate(40 * 1024 * 1024)
    assert [fault.reason for fault in take_in(store, path).faults] == [voice.LINE_TOO_LONG]


@pytest.fixture
def call(store: Store, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def call(*arguments: str | os.PathLike[str], given: str = "") -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *arguments, "--store", tmp_path / "store"]
        return subprocess.run(command, input=given, capture_output=True, text=True, env=ENV, timeout=10)

    return call


def test_a_script_lists_searches_exports_and_imports(
    store: Store, stick: Path, call: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    filled(store, OTHER, FORKED)
    assert call("chats").stdout == "c1  2023-11-14  What is a slot?  pinned\nc2  -  Hello\n"
    assert call("chats", "--search", "gap").stdout == "c1  2023-11-14  What is a slot?  pinned  A gap.\n"
    listed = [json.loads(text) for text in call("chats", "--json").stdout.splitlines()]
    assert listed[1] == {"id": "c2", "title": "Hello", "pinned": False, "changed_at": 0, "excerpt": ""}
    exported = call("export")
    assert exported.stdout == line(OTHER) + line(FORKED)
    done = call("export", "--chat", "c1", "--format", "md", "--json", stick)
    assert json.loads(done.stdout) == {"file": str(stick / "claudine-what-is-a-slot.md")}
    store.forget()
    assert (call("chats").stdout, call("export").stdout) == ("", "")
    assert list((stick.parent / "store").iterdir()) == []
    assert call("import", "-", given=exported.stdout).stdout == "I took in the conversations: 2 new.\n"
    again = call("import", "-", "--json", given=exported.stdout + "nonsense\n")
    assert json.loads(again.stdout)["known"] == 2
    assert (again.returncode, again.stderr) == (2, f"/dev/stdin:3: {voice.LINE_STRANGE}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "stderr"),
    [
        (["export", "--chat", "c9"], 2, "I have no conversation c9. For the ids: claudine chats --json\n"),
        (["export", "/nonexistent"], 3, "I cannot write there, and wrote nothing: No such file or directory.\n"),
        (["import", "/nonexistent"], 3, "I cannot read that file: No such file or directory.\n"),
        (["export", "--store", "/nonexistent"], 3, "I cannot look at what I have stored: No such file or directory.\n"),
        (["chats", "--store", "/nonexistent"], 3, "I cannot look at what I have stored: No such file or directory.\n"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    call: Callable[..., subprocess.CompletedProcess[str]], arguments: list[str], code: int, stderr: str
) -> None:
    if "--store" in arguments:
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, env=ENV, timeout=10)
    else:
        done = call(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", stderr)


def test_a_store_that_fails_ends_an_import_and_says_where(stick: Path) -> None:
    path = stick / "chats.jsonl"
    path.write_text(line(FORKED) + line(OTHER))
    done = subprocess.run(
        [*COMMAND, "import", path, "--store", "/nonexistent"], capture_output=True, text=True, env=ENV, timeout=10
    )
    sentence = voice.NOT_ADDED.format(reason="No such file or directory")
    assert (done.returncode, done.stderr) == (3, f"{path}:1: {sentence}\n")
