"""The list of conversations, and what a person does with one of them."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from claudine.commands import Session
from claudine.commands.chats import COMMANDS, chats, delete, forget, pin, title
from claudine.record import Record
from claudine.runtime import Runtime
from claudine.state import StateService
from claudine.store import FILE, Store
from claudine.talk import Talk
from claudine.voice import chats as voice
from tests.support.fake_runtime import FakeRuntime
from tests.support.scripted_face import Script, ScriptedFace

MARKER = "heliotrope"


class Person:
    """Somebody at a console, with the conversations in *directory*."""

    def __init__(self, directory: Path | None, script: Script = (), *, console: str = "tty1") -> None:
        self.face = ScriptedFace(script)
        store = Store(str(directory)) if directory else None
        self.record = Record(store, console, self.face.remark)
        self.record.resume()
        self.session = Session(Talk(Future(), self.record), self.face, StateService("/nonexistent"))

    def say(self, *texts: str) -> None:
        self.record.begin()
        for number, text in enumerate(texts):
            self.record.add("assistant" if number % 2 else "user", text)

    def offered(self) -> list[tuple[str, str]]:
        return [(option.title, option.note) for option in self.face.offered[-1]]


def undated(offered: list[tuple[str, str]]) -> list[tuple[str, str]]:
    day = voice.day(2_000_000_000)
    return [(name, ", ".join(note for note in notes.split(", ") if len(note) != len(day))) for name, notes in offered]


def test_the_list_has_what_is_pinned_first_and_then_what_was_used_last(tmp_path: Path) -> None:
    person = Person(tmp_path, ["France"])
    for name in ("France?", "Italy?", "Spain?"):
        person.say(name, "An answer.")
        if name == "Italy?":
            pin(person.session, "")
    chats(person.session, "")
    assert undated(person.offered()) == [("Italy?", "pinned"), ("Spain?", "this one"), ("France?", "")]
    assert [entry.text for entry in person.record.path] == ["France?", "An answer."]
    assert person.face.remarks[-1] == "We go on with: France?"
    assert [entry.text for entry in Person(tmp_path).record.path] == ["France?", "An answer."]


def test_going_back_from_the_list_changes_nothing(tmp_path: Path) -> None:
    person = Person(tmp_path, [None])
    person.say("France?", "Paris.")
    person.say("Italy?", "Rome.")
    chats(person.session, "")
    assert (person.record.title, person.face.remarks) == ("Italy?", [])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("paris", [("France?", "this one, The capital is Paris.")]),
        ("CAPI", [("France?", "this one, The capital is Paris."), ("Italy?", "The capital is Rome.")]),
        ("capital ro", [("Italy?", "The capital is Rome.")]),
        ("rome capital is", [("Italy?", "The capital is Rome.")]),
        ("\x00 'Rome\" OR NEAR(", []),
        ("capi rome", []),
        ("holid", [("Holidays", "")]),
        ("lidays", []),
        ("CAFE", [("Holidays", "Anywhere with a café.")]),
        ("Cafés", []),
        ("STRASSE", []),
        ("Straße", [("Straße?", "")]),
        ("strass", []),
        ("cafe\u0301 anyw", [("Holidays", "Anywhere with a café.")]),
        ("***", []),
    ],
)
def test_searching_takes_words_and_the_beginning_of_the_last(
    tmp_path: Path, words: str, found: list[tuple[str, str]]
) -> None:
    person = Person(tmp_path, [None] * len(found[:1]))
    person.say("Where to?", "Anywhere with a café.")
    title(person.session, "Holidays")
    person.say("Straße?", "Welche?")
    person.say("Italy?", "The capital is Rome.")
    person.say("France?", "The capital is Paris.")
    chats(person.session, words)
    if found:
        assert undated(person.offered()) == found
    else:
        assert person.face.remarks[-1] == voice.NOT_FOUND.format(words=words)


@pytest.mark.parametrize(
    "words", ["", " ", '"', "'", "*", "a" * 10_000, "a " * 5000, "\ud800", "Ⅷ", "col:a", "é", "_", "²", "-a", "^a"]
)
def test_nothing_that_is_typed_breaks_the_search(tmp_path: Path, words: str) -> None:
    store = Store(str(tmp_path))
    Person(tmp_path).say("Where?", "Here.")
    assert isinstance(store.search(words), list)


def test_a_message_without_an_answer_is_on_the_line_when_its_conversation_is_opened(tmp_path: Path) -> None:
    person = Person(tmp_path, ["France?"])
    person.say("France?", "Paris.", "Since when?")
    person.say("Italy?", "Rome.")
    chats(person.session, "")
    assert person.session.talk.draft == "Since when?"
    assert [entry.text for entry in person.record.path] == ["France?", "Paris."]


def test_a_title_is_given_or_asked_for(tmp_path: Path) -> None:
    person = Person(tmp_path, ["Asked for", None])
    title(person.session, "Too early")
    assert person.face.remarks == [voice.NOTHING_SAID]
    person.say("France?", "Paris.")
    title(person.session, "Given")
    title(person.session, "")
    title(person.session, "")
    assert person.face.remarks[1:] == [voice.TITLED.format(title=name) for name in ("Given", "Asked for")]
    assert Person(tmp_path).record.title == "Asked for"


@pytest.mark.parametrize("answer", ["no", "", None, "yes, please"])
def test_only_yes_deletes(tmp_path: Path, answer: str | None) -> None:
    for command in (delete, forget):
        person = Person(tmp_path, [answer])
        person.say("France?", "Paris.")
        command(person.session, "")
        assert (person.face.remarks, person.record.title) == ([voice.KEPT], "France?")


def test_what_is_deleted_is_in_no_byte_of_the_file(tmp_path: Path) -> None:
    person = Person(tmp_path, ["yes"])
    person.say("France?", "Paris.")
    kept = person.record.id
    person.say(f"My word is {MARKER}.", f"Your word is {MARKER}.", *[f"More {MARKER}{n} words" for n in range(200)])
    person.record.withdraw()
    person.record.set_title(f"The word {MARKER}")
    person.record.keep_draft(f"Still {MARKER}")
    person.record.keep_draft("")
    assert MARKER.encode() in (tmp_path / FILE).read_bytes()
    delete(person.session, "")
    assert MARKER.encode() not in (tmp_path / FILE).read_bytes().lower()
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert (person.face.remarks[-1], person.record.path) == (voice.DELETED, ())
    assert [chat.id for chat in person.record.chats()] == [kept]
    assert person.record.chats(MARKER) == []
    assert Person(tmp_path).record.path == ()


def test_after_forgetting_it_is_said_what_remains(tmp_path: Path) -> None:
    person = Person(tmp_path, ["Yes"])
    person.say(f"My word is {MARKER}.", "I see.")
    person.session.talk.draft = MARKER
    forget(person.session, "")
    assert list(tmp_path.iterdir()) == []
    assert (person.face.remarks, person.session.talk.draft) == ([voice.FORGOTTEN], "")


@pytest.mark.parametrize("command", [delete, forget])
def test_the_runtime_forgets_what_is_deleted_too(tmp_path: Path, command: Callable[[Session, str], None]) -> None:
    person = Person(tmp_path, ["no", "yes"])
    person.say("France?", "Paris.")
    with FakeRuntime(tmp_path / "runtime") as server:
        person.session.talk.runtime.set_result(Runtime(str(tmp_path / "runtime")))
        command(person.session, "")
        assert server.overwritten == []
        command(person.session, "")
        assert len(server.overwritten) == 1


def test_a_private_conversation_is_in_no_list(tmp_path: Path) -> None:
    person = Person(tmp_path, ["yes"])
    person.record.begin(private=True)
    person.record.add("user", MARKER)
    pin(person.session, "")
    chats(person.session, "")
    assert person.face.remarks == [voice.PRIVATE, voice.NO_CHATS]
    delete(person.session, "")
    assert (person.record.path, person.record.private) == ((), False)


def test_without_a_store_every_command_is_one_sentence() -> None:
    person = Person(None)
    for command in COMMANDS:
        command.run(person.session, "")
    sentences = [voice.NOTHING_STORED, *[voice.NOTHING_SAID] * 3, voice.NOTHING_STORED]
    assert person.face.remarks == sentences


def test_a_conversation_that_another_console_deleted_meanwhile_is_one_sentence(tmp_path: Path) -> None:
    other = Person(tmp_path, ["yes"], console="ttyS0")
    other.say("Italy?", "Rome.")

    def too_late() -> str:
        delete(other.session, "")
        return "Italy?"

    person = Person(tmp_path, [too_late])
    person.say("France?", "Paris.")
    chats(person.session, "")
    assert (person.face.remarks, person.record.title) == ([voice.GONE], "France?")
