"""A conversation as a tree: each message follows another one, and what was edited or said anew is a branch beside it.

Nothing in a tree is ever changed: an edited message is a new message with the same parent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from claudine.conversation import Role


@dataclass(frozen=True)
class Entry:
    """A message with its place: *parent* is the id of the message that it follows, None for a first one.

    *trace* is what is known of how an answer was made, as JSON; empty for a person's message. *said_at* is in seconds
    since 1970 by this machine's clock, which may be wrong: for showing, not for sorting. 0 if nobody knows.
    """

    id: str
    parent: str | None
    role: Role
    text: str
    trace: str = ""
    said_at: int = 0


@dataclass(frozen=True)
class Tree:
    """All messages of a conversation, in the order in which they were made. A parent stands before its children."""

    entries: tuple[Entry, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Entry]:
        """The messages by their ids."""
        return {entry.id: entry for entry in self.entries}

    def path(self, leaf: str | None) -> tuple[Entry, ...]:
        """Return the messages from the first one to *leaf*; none for None."""
        backwards = []
        while leaf is not None:
            entry = self.by_id[leaf]
            backwards.append(entry)
            leaf = entry.parent
        return tuple(reversed(backwards))

    def siblings(self, entry: Entry) -> tuple[Entry, ...]:
        """Return the messages that stand at the same place, *entry* among them."""
        return tuple(other for other in self.entries if other.parent == entry.parent)

    def leaf_below(self, id_: str) -> str:
        """Return the end of the branch through *id_* that was made last."""
        below = {id_}
        last = id_
        for entry in self.entries:
            if entry.parent in below:
                below.add(entry.id)
                last = entry.id
        return last

    def adding(self, entry: Entry) -> "Tree":
        """Return this tree with *entry* in it, in place of one with the same id."""
        if entry.id not in self.by_id:
            return Tree((*self.entries, entry))
        return Tree(tuple(entry if other.id == entry.id else other for other in self.entries))

    def without(self, id_: str) -> "Tree":
        """Return this tree without the message *id_*, which nothing follows."""
        return Tree(tuple(entry for entry in self.entries if entry.id != id_))
