"""/read, /copy, /export and /import, with a stick that is a folder and a person who answers from a list."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from claudine.commands import Session
from claudine.commands import stick as commands
from claudine.record import Record
from claudine.room import Room
from claudine.runtime import Runtime
from claudine.state import StateService
from claudine.stop import Stop
from claudine.store import Store
from claudine.talk import Answer, Ended, Talk, Usage
from claudine.voice import stick as voice
from tests.support.fake_state import STICK, FakeState
from tests.support.scripted_face import Script, ScriptedFace


class WordTalk(Talk):
    """Counts words as tokens, of which there is room for 100, and keeps what it is to send."""

    def __init__(self, record: Record) -> None:
        runtime: Future[Runtime] = Future()
        super().__init__(runtime, record)
        self.sent: list[str] = []

    @property
    def usage(self) -> Usage | None:
        return Usage(10, 100)

    def count(self, text: str, stop: Stop | None = None) -> int | None:
        return len(text.split())

    def send(self, text: str, room: Room | None = None, *, temperature: float | None = None) -> Answer:
        self.sent.append(text)
        return Answer(iter([Ended()]), Stop().press)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "stick"
    root.mkdir()
    return root


@pytest.fixture
def service(tmp_path: Path, root: Path) -> Iterator[FakeState]:
    with FakeState(tmp_path / "control", stick=root) as service:
        yield service


@pytest.fixture
def talk(tmp_path: Path) -> WordTalk:
    (tmp_path / "store").mkdir()
    return WordTalk(Record(Store(str(tmp_path / "store")), "tty1", pytest.fail))


Run = Callable[..., ScriptedFace]


@pytest.fixture
def run(tmp_path: Path, talk: WordTalk) -> Run:
    def run(name: str, script: Script) -> ScriptedFace:
        face = ScriptedFace(script)
        command = next(command for command in commands.COMMANDS if command.name == name)
        command.run(Session(talk, face, StateService(str(tmp_path / "control"))), "")
        assert face.finished()
        return face

    return run


def test_a_file_is_weighed_and_sent_with_a_question(run: Run, service: FakeState, root: Path, talk: WordTalk) -> None:
    (root / "notes").mkdir()
    (root / "notes" / "today.txt").write_text("Buy bread.\n")
    face = run("read", ["notes/", "today.txt", "What shall I buy?"])
    assert talk.sent == ["File: today.txt\n\nBuy bread.\n\nWhat shall I buy?"]
    assert "today.txt: 4 tokens. I can hold 100 at once" in face.asked[-1]
    assert face.said == voice.CLOSED
    assert service.requests == ["sticks", "open-stick", "close-stick"]


def test_it_can_be_sent_without_a_question_or_not_at_all(
    run: Run, service: FakeState, root: Path, talk: WordTalk
) -> None:
    (root / "today.txt").write_text("Buy bread.")
    run("read", ["today.txt", ""])
    assert talk.sent == ["File: today.txt\n\nBuy bread."]
    face = run("read", ["today.txt", None])
    assert len(talk.sent) == 1
    assert voice.NOT_SENT in face.remarks


def test_a_whole_folder_is_one_message(run: Run, service: FakeState, root: Path, talk: WordTalk) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "one.txt").write_text("1")
    (root / "a" / "b" / "two.txt").write_text("2")
    (root / "a" / "empty.txt").write_text(" \n")
    (root / "a" / "photo.jpg").write_bytes(b"\xff\xd8\xff\0")
    face = run("read", ["a/", voice.WHOLE_FOLDER, ""])
    assert talk.sent == ["File: one.txt\n\n1\n\nFile: b/two.txt\n\n2"]
    assert "1 file in it I cannot read, and left out." in face.remarks
    assert "a: 6 tokens" in face.asked[-1]


def test_one_can_go_back_up(run: Run, service: FakeState, root: Path, talk: WordTalk) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "top.txt").write_text("top")
    face = run("read", ["a/", "b/", voice.UP, voice.UP, "top.txt", ""])
    assert talk.sent == ["File: top.txt\n\ntop"]
    assert voice.UP not in [option.title for option in face.offered[0]]


@pytest.mark.parametrize(
    ("words", "about"), [(60, "60 tokens"), (85, "most of the 100 that I can hold"), (200, "is too much for me")]
)
def test_how_it_compares_with_the_context_is_said(
    run: Run, service: FakeState, root: Path, talk: WordTalk, words: int, about: str
) -> None:
    (root / "long.txt").write_text("word " * (words - 2))
    face = run("read", ["long.txt", *([""] if words < 100 else [])])
    assert about in "\n".join([*face.asked, *face.remarks])
    assert len(talk.sent) == (1 if words < 100 else 0)


def test_what_cannot_be_read_is_said_and_the_stick_is_closed(
    run: Run, service: FakeState, root: Path, talk: WordTalk
) -> None:
    (root / "photo.jpg").write_bytes(b"\xff\xd8\xff\0")
    face = run("read", ["photo.jpg"])
    assert face.remarks == ["photo.jpg is no text: there are bytes in it that no text has.", voice.CLOSED]
    assert not service.stick_is_open
    assert talk.sent == []


def test_an_empty_stick_is_said(run: Run, service: FakeState) -> None:
    assert run("read", []).remarks == [voice.EMPTY, voice.CLOSED]


def test_names_on_a_stick_cannot_steer_the_terminal(run: Run, service: FakeState, root: Path, talk: WordTalk) -> None:
    (root / "\x1b[2J\nevil\u202e.txt").write_text("x")
    face = run("read", ["[2J evil.txt", ""])
    assert face.offered[0][-1].title == "[2J evil.txt"
    assert talk.sent == ["File: [2J evil.txt\n\nx"]


def test_without_a_stick_one_is_asked_for(run: Run, service: FakeState, root: Path, talk: WordTalk) -> None:
    (root / "today.txt").write_text("x")
    service.sticks = []

    def put_it_in() -> str:
        service.sticks = [STICK]
        return ""

    run("read", [put_it_in, "today.txt", ""])
    assert len(talk.sent) == 1


def test_one_need_not_have_a_stick(run: Run, service: FakeState) -> None:
    service.sticks = []
    assert run("read", [None]).remarks == []
    assert service.requests == ["sticks"]


def test_of_two_sticks_the_person_chooses_one(run: Run, service: FakeState, root: Path) -> None:
    service.sticks = [STICK, {**STICK, "id": "18-1", "label": "\x1b[31mWork", "size_bytes": 32 * 10**9}]
    face = run("read", ["[31mWork"])
    assert [(option.title, option.note) for option in face.offered[0]] == [
        ("HOLIDAY", "1.0 GB, Acme"),
        ("[31mWork", "32 GB, Acme"),
    ]
    assert service.opened == ["18-1"]
    service.sticks.reverse()
    assert run("read", [None]).remarks == []


def test_a_stick_that_is_pulled_out_is_a_sentence(run: Run, service: FakeState, root: Path) -> None:
    (root / "today.txt").write_text("x")

    def pull_out() -> str:
        (root / "today.txt").unlink()
        return "today.txt"

    assert run("read", [pull_out]).remarks == ["That is not on the stick any more.", voice.CLOSED]


@pytest.mark.parametrize("failing", ["sticks", "open-stick", "close-stick"])
def test_a_service_that_fails_is_a_sentence(tmp_path: Path, root: Path, run: Run, failing: str) -> None:
    (root / "today.txt").write_text("x")
    with FakeState(tmp_path / "control", stick=root, failing=failing):
        face = run("read", ["today.txt", ""] if failing == "close-stick" else [])
    assert face.remarks == ["The TPM is busy [31mtoday."]


def test_a_folder_that_is_not_there_after_all_is_a_sentence(run: Run, service: FakeState, root: Path) -> None:
    root.rmdir()
    assert run("read", []).remarks == ["That is not on the stick any more.", voice.CLOSED]


def test_on_a_desk_there_is_a_sentence(run: Run) -> None:
    [remark] = run("read", []).remarks
    assert remark.startswith("Nobody looks after an encrypted disk here")


def say(talk: WordTalk, question: str, answer: str) -> None:
    talk.record.add("user", question)
    talk.record.add("assistant", "")
    talk.record.extend(answer)
    talk.record.complete()


def test_a_code_block_becomes_a_file(run: Run, service: FakeState, root: Path, talk: WordTalk) -> None:
    say(talk, "?", "```sh\necho old\n```")
    say(talk, "?", "Here:\n```python\nprint(1)\n```\nand\n```\nplain\n```")
    face = run("copy", ["print", ""])
    assert [(option.title, option.note) for option in face.offered[0]] == [
        ("print(1)", "python, 1 line"),
        ("plain", "1 line"),
        ("echo old", "sh, 1 line"),
    ]
    assert (root / "code.py").read_text() == "print(1)\n"
    assert face.remarks == ["It is on the stick, as code.py.", voice.CLOSED]


def test_nothing_is_overwritten_and_no_name_leads_elsewhere(
    run: Run, service: FakeState, root: Path, talk: WordTalk
) -> None:
    say(talk, "?", "```\nmine\n```")
    (root / "code.txt").write_text("theirs")
    (root / "etc-x").symlink_to("/nonexistent/x")
    assert "as code-2.txt." in run("copy", ["", ""]).said
    assert "as etc-x-2." in run("copy", ["", "../../etc/x"]).said
    assert "as a-b-.sh." in run("copy", ["", "a:b?.sh"]).said
    assert (root / "code.txt").read_text() == "theirs"
    assert sorted(path.name for path in root.iterdir()) == ["a-b-.sh", "code-2.txt", "code.txt", "etc-x", "etc-x-2"]


def test_without_code_there_is_nothing_to_copy(run: Run, talk: WordTalk) -> None:
    say(talk, "```\nmine\n```", "No code.")
    assert run("copy", []).remarks == [voice.NO_CODE]


def full(*_: Any) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(("name", "script"), [("copy", ["", ""]), ("export", [""])])
def test_a_full_stick_gets_nothing_and_that_is_said(
    run: Run,
    service: FakeState,
    root: Path,
    talk: WordTalk,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    script: list[str],
) -> None:
    say(talk, "?", "```\nmine\n```")
    monkeypatch.setattr(os, "fsync", full)
    face = run(name, script)
    assert "not enough room" in face.remarks[0]
    assert face.remarks[1:] == [voice.CLOSED]
    assert list(root.iterdir()) == []


def test_chats_are_written_and_taken_in_again(
    run: Run, service: FakeState, root: Path, talk: WordTalk, tmp_path: Path
) -> None:
    say(talk, "Where?", "Here.")
    talk.record.begin()
    say(talk, "Who?", "I.")
    assert "as claudine-who.md." in run("export", ["This conversation, to read"]).said
    assert "Where?" not in (root / "claudine-who.md").read_text()
    assert "as claudine-chats.jsonl." in run("export", ["All conversations, to import again"]).said
    talk.record.forget()
    assert "2 new" in run("import", ["claudine-chats.jsonl"]).said
    assert {summary.title for summary in talk.record.chats()} == {"Where?", "Who?"}
    face = run("import", ["claudine-who.md"])
    assert face.remarks[1].startswith("Line 1 of it I could not take: ")


def test_nothing_of_a_private_chat_goes_out(run: Run, service: FakeState, root: Path, talk: WordTalk) -> None:
    talk.record.begin(private=True)
    say(talk, "My secret", "It is safe.")
    face = run("export", ["All conversations, to import again"])
    assert [option.title for option in face.offered[0]] == [
        "All conversations, to read",
        "All conversations, to import again",
    ]
    assert "secret" not in "".join(path.read_text() for path in root.iterdir())


def test_without_a_store_nothing_is_asked(run: Run, talk: WordTalk) -> None:
    talk.record = Record(None, "tty1", pytest.fail)
    assert run("export", []).remarks == [voice.NOTHING_TO_EXPORT]
    assert run("import", []).remarks == [voice.NO_STORE]
