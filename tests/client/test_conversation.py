"""A conversation is a value; what no longer fits leaves it from the front, a whole exchange at a time."""

import pytest

from claudine.conversation import ChatSettings, Conversation


def talk(*texts: str) -> Conversation:
    talked = Conversation()
    for number, text in enumerate(texts):
        talked = talked.adding("assistant" if number % 2 else "user", text)
    return talked


def test_adding_leaves_the_old_value_alone() -> None:
    before = Conversation()
    after = before.adding("user", "hello")
    assert len(before.messages) == 1
    assert [message.role for message in after.messages] == ["system", "user"]


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (1.0, ["q2" * 5, "a2" * 5, "q3"]),
        (0.6, ["q2" * 5, "a2" * 5, "q3"]),
        (0.4, ["q3"]),
        (0.0, ["q3"]),
    ],
)
def test_the_oldest_exchanges_go_and_the_question_stays(keep: float, left: list[str]) -> None:
    full = talk("q1" * 5, "a1" * 5, "q2" * 5, "a2" * 5, "q3")
    shorter = full.shortened(keep)
    assert [message.text for message in shorter.messages[1:]] == left
    assert shorter.messages[0].role == "system"


def test_with_one_message_there_is_nothing_to_leave_out() -> None:
    alone = talk("a very long question")
    assert alone.shortened(0.1) == alone


def test_settings_survive_being_written_down() -> None:
    chosen = ChatSettings("Be brief: „Grüße“.", 0.7, 64, 42, "m17", "We spoke of Paris.")
    assert ChatSettings.from_json(chosen.to_json()) == chosen
    assert ChatSettings.from_json(ChatSettings().to_json()) == ChatSettings()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[" * 100_000,
        "[]",
        "null",
        '{"colour": "red"}',
        '{"temperature": NaN, "max_tokens": 0, "seed": -1}',
        '{"temperature": true, "max_tokens": true, "seed": false}',
        '{"temperature": 1e999, "max_tokens": 1e3, "seed": 1.5, "persona": 3, "cut": [], "summary": null}',
    ],
)
def test_settings_that_make_no_sense_are_the_usual_ones(text: str) -> None:
    assert ChatSettings.from_json(text) == ChatSettings()


def test_one_broken_setting_leaves_the_others() -> None:
    found = ChatSettings.from_json('{"temperature": "hot", "seed": 7, "persona": "Be\\u001b[2J brief."}')
    assert found == ChatSettings(persona="Be[2J brief.", seed=7)
