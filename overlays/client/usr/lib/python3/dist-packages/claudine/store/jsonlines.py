"""A conversation as one line of JSON, with everything that is kept of it. ``docs/export.md`` is the description."""

import json
import re
from typing import Any

from claudine.conversation import ChatSettings, Role
from claudine.store.chat import Chat, given_title
from claudine.text import printable
from claudine.tree import Entry, Tree
from claudine.voice import chats as voice

SCHEMA = "claudine-chat/1"

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_LAST_SECOND = 2**53


class LineError(Exception):
    """Its text says what is wrong with the line, and where in it."""


def line(chat: Chat) -> str:
    """Return *chat* as a line, with its end."""
    content = {
        "schema": SCHEMA,
        "id": chat.id,
        "title": chat.title,
        "pinned": chat.pinned,
        "leaf": chat.leaf,
        "settings": json.loads(chat.settings.to_json()),
        "messages": [
            {
                "id": entry.id,
                "parent": entry.parent,
                "role": entry.role,
                "text": entry.text,
                "said_at": entry.said_at,
                "trace": _loaded(entry.trace),
            }
            for entry in chat.tree.entries
        ],
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


def parse(text: bytes) -> Chat:
    """Return the conversation in a line. Raises LineError."""
    content = _loaded(text)
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        newer = isinstance(schema, str) and schema.startswith("claudine-chat/")
        raise LineError(voice.LINE_NEWER if newer else voice.LINE_STRANGE)
    id_ = _id(content.get("id"), "id")
    messages = content.get("messages")
    if not isinstance(messages, list) or not messages:
        raise LineError(voice.LINE_EMPTY)
    entries: dict[str, Entry] = {}
    for number, message in enumerate(messages):
        entry = _entry(message, entries, f"messages[{number}]")
        entries[entry.id] = entry
    title, leaf, settings = content.get("title"), content.get("leaf", entry.id), content.get("settings")
    if leaf is not None and not (isinstance(leaf, str) and leaf in entries):
        raise LineError(voice.LINE_LEAF.format(place="leaf"))
    return Chat(
        id_,
        given_title(title) if isinstance(title, str) else "",
        content.get("pinned") is True,
        ChatSettings.from_values(settings if isinstance(settings, dict) else {}),
        Tree(tuple(entries.values())),
        leaf,
    )


def _entry(message: Any, before: dict[str, Entry], place: str) -> Entry:
    if not isinstance(message, dict):
        raise LineError(voice.LINE_NO_OBJECT.format(place=place))
    id_ = _id(message.get("id"), f"{place}.id")
    if id_ in before:
        raise LineError(voice.LINE_TWICE.format(place=f"{place}.id"))
    parent = message.get("parent")
    if parent is not None and not (isinstance(parent, str) and parent in before):
        raise LineError(voice.LINE_PARENT.format(place=f"{place}.parent"))
    text = message.get("text")
    if not isinstance(text, str) or not printable(text):
        raise LineError(voice.LINE_TEXT.format(place=f"{place}.text"))
    said_at = message.get("said_at", 0)
    if type(said_at) is not int or not 0 <= said_at < _LAST_SECOND:
        raise LineError(voice.LINE_TIME.format(place=f"{place}.said_at"))
    trace = message.get("trace")
    if trace is not None and not isinstance(trace, dict):
        raise LineError(voice.LINE_NO_OBJECT.format(place=f"{place}.trace"))
    role = _role(message.get("role"), parent, f"{place}.role")
    return Entry(id_, parent, role, printable(text), json.dumps(trace) if trace else "", said_at)


def _role(role: object, parent: str | None, place: str) -> Role:
    match role:
        case "user":
            return "user"
        case "assistant" if parent is not None:
            return "assistant"
        case "assistant":
            raise LineError(voice.LINE_FIRST.format(place=place))
    raise LineError(voice.LINE_ROLE.format(place=place))


def _id(value: object, place: str) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise LineError(voice.LINE_ID.format(place=place))
    return value


def _loaded(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
