"""A conversation is a value; what no longer fits leaves it from the front, a whole exchange at a time."""

import pytest

from claudine.conversation import Conversation


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
