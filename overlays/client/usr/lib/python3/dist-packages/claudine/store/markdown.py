"""A conversation as Markdown, for reading: the branch where it goes on, from the first message to the last."""

from claudine.store.chat import Chat
from claudine.tree import Entry
from claudine.voice import chat as chat_voice
from claudine.voice import chats as voice

_LABELS = {"user": chat_voice.YOU, "assistant": chat_voice.CLAUDINE}


def markdown(chat: Chat) -> str:
    """Return *chat* as a section of its own, with its end."""
    path = chat.path or chat.tree.path(chat.tree.leaf_below(chat.tree.entries[0].id) if chat.tree.entries else None)
    elsewhere = len(chat.tree.entries) - len(path)
    parts = [
        f"# {chat.known_as or voice.UNTITLED}",
        *([f"*{voice.day(path[0].said_at)}*"] if path and path[0].said_at else []),
        *([voice.MARKDOWN_PERSONA, _quoted(chat.settings.persona)] if chat.settings.persona else []),
        *(part for entry in path for part in _message(entry)),
        *([f"*{voice.elsewhere(elsewhere)}*"] if elsewhere else []),
    ]
    return "\n\n".join(parts) + "\n\n"


def _message(entry: Entry) -> list[str]:
    return [f"**{_LABELS.get(entry.role, entry.role)}:**", entry.text.strip("\n")]


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
