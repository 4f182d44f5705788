"""What is sent of a conversation: its messages without those that were left out, as the model's template wants them.

    messages = prompt(record.path, record.settings)

Templates want one system message, then the person's and Claudine's by turns, the person's first.
"""

from collections.abc import Sequence
from dataclasses import replace

from claudine.conversation import NO_PERSONA, ChatSettings, Message, Role
from claudine.tree import Entry

# Said to the model and not to the person, and plain enough for a small one.
_SUMMARY = "Summary of our conversation so far: "
_SUMMARISE = "Summarise this conversation in a few short sentences. Keep names, numbers and what was decided.\n\n"
_SPEAKERS: dict[Role, str] = {"user": "User", "assistant": "Assistant", "system": "System"}


def sent(path: Sequence[Entry], settings: ChatSettings) -> Sequence[Entry]:
    """Return the messages of *path* that are still sent, from the cut on."""
    start = next((number for number, entry in enumerate(path) if entry.id == settings.cut), 0)
    return path[start:]


def prompt(path: Sequence[Entry], settings: ChatSettings) -> list[Message]:
    """Return what the model gets to read."""
    entries = sent(path, settings)
    summary = _SUMMARY + settings.summary if settings.summary and len(entries) < len(path) else ""
    messages = [Message("system", "\n\n".join(filter(None, [settings.persona, summary])))]
    for entry in entries:
        last = messages[-1]
        if last.role == entry.role:
            messages[-1] = replace(last, text=f"{last.text}\n\n{entry.text}")
        elif entry.role == "user" or last.role == "user":
            messages.append(Message(entry.role, entry.text))
        # Else it is an answer whose question was deleted.
    return messages


def cut_after(path: Sequence[Entry], settings: ChatSettings, keep: float) -> str | None:
    """Return the id of the first message to send when the oldest exchanges are left out; None if there are none.

    At least one exchange goes, then as many as it takes until at most the share *keep* (0 to 1) of the characters is
    left. What the person said last always stays, with all that follows.
    """
    entries = sent(path, settings)
    starts = [number for number, entry in enumerate(entries) if entry.role == "user"][1:]
    length = sum(len(entry.text) for entry in entries)
    left = length
    previous = 0
    for start in starts:
        left -= sum(len(entry.text) for entry in entries[previous:start])
        previous = start
        if left <= keep * length or start == starts[-1]:
            return entries[start].id
    return None


def left_out(path: Sequence[Entry], settings: ChatSettings, cut: str) -> str:
    """Return as a transcript what is sent now and is not after *cut*, with the summary of what was left out before."""
    before = sent(path, settings)
    lines = [settings.summary] if settings.summary and len(before) < len(path) else []
    for entry in before:
        if entry.id == cut:
            break
        lines.append(f"{_SPEAKERS[entry.role]}: {entry.text}")
    return "\n\n".join(lines)


def summary_prompt(transcript: str) -> list[Message]:
    """Return the request to summarise *transcript*."""
    return [Message("system", NO_PERSONA), Message("user", _SUMMARISE + transcript)]
