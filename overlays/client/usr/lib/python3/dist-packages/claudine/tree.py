"""A conversation as a tree: each message follows another one, and what was edited or said anew is a branch beside it.

Nothing in a tree is ever changed: an edited message is a new message with the same parent.
"""

from dataclasses import dataclass

from claudine.conversation import Role


@dataclass(frozen=True)
class Entry:
    """A message with its place: *parent* is the id of the message that it follows, None for a first one.

    *trace* is what is known of how an answer was made, as JSON; empty for a person's message.
    """

    id: str
    parent: str | None
    role: Role
    text: str
    trace: str = ""


@dataclass(frozen=True)
class Tree:
    """All messages of a conversation, in the order in which they were made."""

    entries: tuple[Entry, ...] = ()

    def path(self, leaf: str | None) -> tuple[Entry, ...]:
        """Return the messages from the first one to *leaf*; none for None."""
        raise NotImplementedError

    def siblings(self, entry: Entry) -> tuple[Entry, ...]:
        """Return the messages that stand at the same place, *entry* among them."""
        raise NotImplementedError

    def leaf_below(self, id_: str) -> str:
        """Return the end of the branch through *id_* that was made last."""
        raise NotImplementedError

    def adding(self, entry: Entry) -> "Tree":
        """Return this tree with *entry* in it, in place of one with the same id."""
        raise NotImplementedError
