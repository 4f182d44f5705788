"""What is sent of a conversation: what no longer fits leaves it from the front, a whole exchange at a time."""

import pytest

from claudine.conversation import ChatSettings, Role
from claudine.prompt import cut_after, left_out, prompt
from claudine.tree import Entry


def path(*texts: str, first: Role = "user") -> list[Entry]:
    roles: list[Role] = ["user", "assistant"]
    start = roles.index(first)
    return [Entry(str(n), str(n - 1) if n else None, roles[(start + n) % 2], text) for n, text in enumerate(texts)]


def texts(entries: list[Entry], settings: ChatSettings) -> list[str]:
    return [message.text for message in prompt(entries, settings)]


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (1.0, ["q2" * 5, "a2" * 5, "q3"]),
        (0.6, ["q2" * 5, "a2" * 5, "q3"]),
        (0.4, ["q3"]),
        (0.0, ["q3"]),
        (-1.0, ["q3"]),
    ],
)
def test_the_oldest_exchanges_go_and_the_question_stays(keep: float, left: list[str]) -> None:
    entries = path("q1" * 5, "a1" * 5, "q2" * 5, "a2" * 5, "q3")
    cut = cut_after(entries, ChatSettings(), keep)
    assert texts(entries, ChatSettings(cut=cut)) == ["", *left]


def test_with_one_message_there_is_nothing_to_leave_out() -> None:
    assert cut_after(path("a very long question"), ChatSettings(), 0.1) is None
    assert cut_after(path("a question", "half an answer"), ChatSettings(), 0.1) is None
    assert cut_after([], ChatSettings(), 0.1) is None


def test_a_second_cut_goes_on_where_the_first_one_was() -> None:
    entries = path("q1", "a1", "q2", "a2", "q3", "a3", "q4")
    assert cut_after(entries, ChatSettings(cut="2"), 0.9) == "4"
    assert cut_after(entries, ChatSettings(cut="6"), 0.9) is None


def test_a_cut_on_another_branch_cuts_nothing() -> None:
    assert texts(path("q1", "a1", "q2"), ChatSettings(cut="gone", summary="We met.")) == ["", "q1", "a1", "q2"]


def test_the_persona_and_the_summary_are_one_system_message() -> None:
    settings = ChatSettings(persona="Be brief.", cut="2", summary="We met.")
    sent = prompt(path("q1", "a1", "q2"), settings)
    assert [message.role for message in sent] == ["system", "user"]
    assert sent[0].text.startswith("Be brief.\n\n")
    assert sent[0].text.endswith("We met.")


def test_what_is_summed_up_has_the_summary_before_it_in_it() -> None:
    entries = path("q1", "a1", "q2", "a2", "q3")
    assert left_out(entries, ChatSettings(), "2") == "User: q1\n\nAssistant: a1"
    again = left_out(entries, ChatSettings(cut="2", summary="We met."), "4")
    assert again == "We met.\n\nUser: q2\n\nAssistant: a2"


def test_the_person_begins_and_nobody_speaks_twice_in_a_row() -> None:
    twice = [Entry("0", None, "user", "one"), Entry("1", "0", "user", "two"), Entry("2", "1", "assistant", "three")]
    assert texts(twice, ChatSettings()) == ["", "one\n\ntwo", "three"]
    assert texts(path("a0", "q1", "a1", first="assistant"), ChatSettings()) == ["", "q1", "a1"]
