"""A conversation is a tree: nothing that was said is changed, and every branch can be found again."""

import pytest

from claudine.tree import Entry, Tree

# One question asked twice, the second time with two answers, one of which was followed up.
FORKED = Tree(
    (
        Entry("q1", None, "user", "Where?"),
        Entry("a1", "q1", "assistant", "Here."),
        Entry("q2", None, "user", "Where is it?"),
        Entry("a2", "q2", "assistant", "There."),
        Entry("a3", "q2", "assistant", "Elsewhere."),
        Entry("q3", "a2", "user", "Since when?"),
    )
)


@pytest.mark.parametrize(
    ("leaf", "path"),
    [(None, []), ("q1", ["q1"]), ("a1", ["q1", "a1"]), ("q3", ["q2", "a2", "q3"]), ("a3", ["q2", "a3"])],
)
def test_a_path_goes_from_the_first_message_to_the_leaf(leaf: str | None, path: list[str]) -> None:
    assert [entry.id for entry in FORKED.path(leaf)] == path


@pytest.mark.parametrize(
    ("id_", "siblings"), [("q1", ["q1", "q2"]), ("a3", ["a2", "a3"]), ("a1", ["a1"]), ("q3", ["q3"])]
)
def test_what_stands_at_the_same_place_is_listed_in_the_order_it_was_made(id_: str, siblings: list[str]) -> None:
    assert [entry.id for entry in FORKED.siblings(FORKED.by_id[id_])] == siblings


@pytest.mark.parametrize(("id_", "leaf"), [("q1", "a1"), ("q2", "q3"), ("a2", "q3"), ("a3", "a3"), ("q3", "q3")])
def test_a_branch_is_entered_where_it_was_left_last(id_: str, leaf: str) -> None:
    assert FORKED.leaf_below(id_) == leaf


def test_a_message_that_grows_keeps_its_place() -> None:
    grown = FORKED.adding(Entry("a2", "q2", "assistant", "There, or there."))
    assert [entry.id for entry in grown.entries] == [entry.id for entry in FORKED.entries]
    assert grown.by_id["a2"].text == "There, or there."
    assert FORKED.by_id["a2"].text == "There."


def test_what_is_taken_back_is_gone_from_the_new_tree_only() -> None:
    assert "q3" not in FORKED.without("q3").by_id
    assert "q3" in FORKED.by_id
