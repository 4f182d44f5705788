"""What a person can do with the conversation that is open, whatever the terminal is."""

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from claudine.commands import Session
from claudine.commands.table import COMMANDS, help_page
from claudine.conversation import ChatSettings
from claudine.record import Record
from claudine.runtime import Runtime
from claudine.state import StateService
from claudine.talk import Talk
from claudine.voice import chat as voice
from tests.support.fake_runtime import Answer, FakeRuntime
from tests.support.scripted_face import Script, ScriptedFace


class Person:
    """Somebody who talks with the runtime at *socket*."""

    def __init__(self, socket: Path) -> None:
        runtime: Future[Runtime] = Future()
        runtime.set_result(Runtime(str(socket)))
        self.face = ScriptedFace()
        self.talk = Talk(runtime, Record(None, "tty1", self.face.remark))
        self.session = Session(self.talk, self.face, StateService("/nonexistent"))

    def say(self, text: str) -> None:
        list(self.talk.send(text))

    def do(self, name: str, argument: str = "", *, replies: Script = ()) -> str:
        """Run a command to its end and return the last remark."""
        self.face.reply_with(replies)
        command = next(command for command in COMMANDS if command.name == name)
        answer = command.run(self.session, argument)
        list(answer or ())
        assert self.face.finished()
        return self.face.remarks[-1] if self.face.remarks else ""

    @property
    def said(self) -> list[str]:
        return [entry.text for entry in self.talk.record.path]


@pytest.fixture
def person(socket: Path) -> Iterator[Person]:
    with FakeRuntime(socket, [Answer([f"A{number}"]) for number in range(1, 9)]):
        yield Person(socket)


def test_before_anything_is_said_nothing_can_be_changed(person: Person) -> None:
    for name, sentence in (
        ("again", voice.NOTHING_YET),
        ("edit", voice.NOTHING_YET),
        ("back", voice.NOTHING_YET),
        ("go-on", voice.NO_ANSWER_YET),
        ("other", voice.NO_OTHER),
        ("context", voice.CONTEXT_UNKNOWN),
    ):
        assert person.do(name) == sentence


def test_the_last_message_is_edited_with_its_old_text_to_begin_with(person: Person) -> None:
    person.say("Q1")
    person.say("Q2")
    person.do("edit", replies=["Q2, better"])
    assert person.said == ["Q1", "A1", "Q2, better", "A3"]
    person.do("edit", "Q2, best")
    assert person.said == ["Q1", "A1", "Q2, best", "A4"]
    person.do("edit", replies=[None])
    assert person.said == ["Q1", "A1", "Q2, best", "A4"]


def test_the_next_version_comes_round_to_the_first(person: Person) -> None:
    person.say("Q1")
    person.do("again")
    person.do("again")
    shown = []
    for _ in range(3):
        shown.append((person.do("other"), person.said[-1]))
    assert shown == [("Version 1 of 3.", "A1"), ("Version 2 of 3.", "A2"), ("Version 3 of 3.", "A3")]


def test_a_branch_is_found_again_with_all_that_follows(person: Person) -> None:
    person.say("Q1")
    person.say("Q2")
    person.do("back", replies=["Claudine: A1", voice.FROM_HERE])
    assert person.said == ["Q1", "A1"]
    person.say("Q3")
    assert person.said == ["Q1", "A1", "Q3", "A3"]
    person.do("back", replies=["You: Q3", voice.VERSIONS, "You: Q2"])
    assert person.said == ["Q1", "A1", "Q2", "A2"]


def test_an_answer_of_hers_can_be_changed(person: Person) -> None:
    person.say("Q1")
    person.say("Q2")
    assert person.do("back", replies=["Claudine: A1", voice.CHANGE, "A1, better"]) == voice.EDITED
    assert person.said == ["Q1", "A1, better"]
    person.do("other")
    assert person.said == ["Q1", "A1", "Q2", "A2"]


def test_going_back_may_be_given_up_at_each_step(person: Person) -> None:
    person.say("Q1")
    person.do("again")
    for replies in ([None], ["Claudine", None], ["Claudine", voice.CHANGE, None], ["Claudine", voice.VERSIONS, None]):
        person.do("back", replies=replies)
        assert person.said == ["Q1", "A2"]


def test_private_is_another_conversation_and_new_ends_it(person: Person) -> None:
    person.say("Q1")
    assert person.do("private") == voice.PRIVATE_BEGUN
    assert (person.talk.record.private, person.said) == (True, [])
    assert person.do("new") == voice.AFRESH
    assert (person.talk.record.private, person.said) == (False, [])


def test_a_persona_is_chosen_written_and_taken_back(person: Person) -> None:
    record = person.talk.record
    person.do("persona", replies=["In brief"])
    assert record.settings.persona == dict(voice.PERSONAS)["In brief"]
    person.do("persona", replies=[voice.PERSONA_OWN, "Rhyme\x1b."])
    assert record.settings.persona == "Rhyme."
    person.do("persona", replies=[None])
    person.do("persona", replies=[voice.PERSONA_OWN, None])
    assert record.settings.persona == "Rhyme."
    assert person.do("persona", replies=["As I am"]) == voice.PERSONA_RESET
    assert record.settings.persona == ""


@pytest.mark.parametrize(
    ("argument", "settings"),
    [
        ("temperature 0.7", ChatSettings(temperature=0.7)),
        ("Temperature 0", ChatSettings(temperature=0.0)),
        ("length 64", ChatSettings(max_tokens=64)),
        ("seed 42", ChatSettings(seed=42)),
        ("seed", ChatSettings()),
    ],
)
def test_settings_are_changed_in_one_line(person: Person, argument: str, settings: ChatSettings) -> None:
    person.do("settings", argument)
    assert person.talk.record.settings == settings


@pytest.mark.parametrize(
    "argument",
    [
        "temperature",
        "temperature hot",
        "temperature 3",
        "temperature nan",
        "length 0",
        "length 1.5",
        "length",
        "seed -1",
    ],
)
def test_a_setting_that_makes_no_sense_changes_nothing(person: Person, argument: str) -> None:
    assert "makes no sense there" in person.do("settings", argument)
    assert person.talk.record.settings == ChatSettings()


def test_settings_are_chosen_from_a_list_and_taken_back(person: Person) -> None:
    record = person.talk.record
    person.do("persona", "Rhyme.")
    assert (
        person.do("settings", replies=["Temperature", "1.5"])
        == "Temperature: 1.5; 0 is always the likeliest word, 2 is wild."
    )
    person.do("settings", replies=["Seed", "7"])
    person.do("settings", replies=["Length", None])
    assert record.settings == ChatSettings("Rhyme.", temperature=1.5, seed=7)
    assert person.do("settings", "colour blue") == voice.UNKNOWN_SETTING
    assert person.do("settings", replies=[voice.USUAL]) == voice.USUAL_DONE
    assert record.settings == ChatSettings("Rhyme.")


def test_the_context_is_told_and_room_can_be_made(person: Person) -> None:
    person.say("Q1")
    person.say("Q2")
    person.do("context", replies=[voice.LEAVE])
    assert "takes 8 of the 512 tokens" in person.face.about
    person.do("context", replies=[voice.DROP])
    assert person.talk.record.settings.cut == person.talk.record.path[2].id
    assert person.do("context", replies=[voice.FRESH]) == voice.AFRESH
    assert person.said == []


def test_the_help_has_every_command_once() -> None:
    lines = help_page(COMMANDS).splitlines()
    for command in COMMANDS:
        assert sum(line.startswith(f"  /{command.name} ") for line in lines) == 1
    keys = [command.key for command in COMMANDS if command.key]
    assert len(set(keys)) == len(keys)
