"""A conversation with all that is kept of it, and what changes in one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from claudine.conversation import ChatSettings
from claudine.text import first_words
from claudine.tree import Entry, Tree


@dataclass(frozen=True)
class Chat:
    """All there is of one conversation. *leaf* is the message where it goes on; None is before the first one."""

    id: str
    title: str = ""
    pinned: bool = False
    settings: ChatSettings = field(default_factory=ChatSettings)
    tree: Tree = field(default_factory=Tree)
    leaf: str | None = None

    @property
    def path(self) -> tuple[Entry, ...]:
        """The messages from the first one to the leaf."""
        return self.tree.path(self.leaf)

    @property
    def known_as(self) -> str:
        """The title, or what stands for one that was not given: the first words of the person."""
        return self.title or default_title(self.tree)


@dataclass(frozen=True)
class Summary:
    """A line in the list. *excerpt* is where the words that were searched for stand, if they stand in a message."""

    id: str
    title: str
    pinned: bool = False
    changed_at: int = 0
    excerpt: str = ""


@dataclass(frozen=True)
class Place:
    """Where a console is: in which conversation, and what stands on its line."""

    console: str
    conversation: str
    draft: str


@dataclass(frozen=True)
class Change:
    """What is new in the conversation *id*: *values* by the names in ``Chat``, messages, and ids of withdrawn ones."""

    id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)
    withdrawn: frozenset[str] = field(default_factory=frozenset)

    def setting(self, **values: Any) -> "Change":
        """Return this change with other *values*."""
        return replace(self, values={**self.values, **values})

    def having(self, entry: Entry) -> "Change":
        """Return this change with *entry*, or with what became of it."""
        return replace(self, entries={**self.entries, entry.id: entry})

    def lacking(self, id_: str) -> "Change":
        """Return this change without the message *id_*, wherever it is."""
        entries = {other: entry for other, entry in self.entries.items() if other != id_}
        return replace(self, entries=entries, withdrawn=self.withdrawn | {id_})

    def made_to(self, chat: Chat) -> Chat:
        """Return *chat* with this change in it."""
        tree = chat.tree
        for id_ in self.withdrawn & tree.by_id.keys():
            tree = tree.without(id_)
        for entry in self.entries.values():
            tree = tree.adding(entry)
        return replace(chat, tree=tree, **self.values)


def given_title(text: str) -> str:
    """Return *text* as a title: one line, and not without end."""
    return first_words(text, 100)


def default_title(tree: Tree) -> str:
    """Return the first words of the person; nothing before they have said any."""
    return next((first_words(entry.text) for entry in tree.entries if entry.role == "user"), "")
