"""The conversations that are kept: the list of them, and what becomes of the one that is open."""

from claudine.commands import Command, Session
from claudine.commands.chat import show_new
from claudine.face import Option
from claudine.store import StoreError, Summary
from claudine.voice import chats as voice


def chats(session: Session, words: str) -> None:
    """Let one be chosen from the list, or from those in which *words* are found, and go on with it."""
    record, face = session.talk.record, session.face
    try:
        found = record.chats(words)
        if not found:
            face.remark(voice.NOT_FOUND.format(words=words) if words else voice.NO_CHATS)
            return
        start = next((place for place, chat in enumerate(found) if chat.id == record.id), 0)
        options = [_option(chat, current=chat.id == record.id) for chat in found]
        chosen = face.choose(voice.FOUND.format(words=words) if words else voice.CHATS, options, start=start)
        if chosen is None:
            return
        record.open(found[chosen].id)
    except StoreError as failure:
        face.remark(str(failure))
        return
    _take_up_draft(session)
    face.remark(voice.OPENED.format(title=record.title or voice.UNTITLED))
    face.show_conversation()


def title(session: Session, text: str) -> None:
    """Give the open conversation a title; an empty one is its first words."""
    record, face = session.talk.record, session.face
    if not record.tree.entries:
        face.remark(voice.NOTHING_SAID)
        return
    new = text or face.ask(voice.TITLE_PROMPT, draft=record.title)
    if new is not None:
        record.set_title(new)
        face.remark(voice.TITLED.format(title=record.title))


def pin(session: Session, _argument: str) -> None:
    """Put the open conversation at the top of the list, or back."""
    record, face = session.talk.record, session.face
    if record.private:
        face.remark(voice.PRIVATE)
    elif not record.tree.entries:
        face.remark(voice.NOTHING_SAID)
    else:
        record.set_pinned(not record.pinned)
        face.remark(voice.NOW_PINNED if record.pinned else voice.UNPINNED)


def delete(session: Session, _argument: str) -> None:
    """Delete the open conversation, once the person has agreed, and begin another."""
    record, face = session.talk.record, session.face
    if not record.tree.entries:
        face.remark(voice.NOTHING_SAID)
        return
    about = voice.DELETE.format(title=record.title or voice.UNTITLED)
    if not _agreed(session, voice.DELETE_PROMPT, about):
        return
    try:
        record.delete(record.id)
    except StoreError as failure:
        face.remark(str(failure))
        return
    _begin_afresh(session, voice.DELETED)


def forget(session: Session, _argument: str) -> None:
    """Delete all that is stored, once the person has agreed, and say what remains."""
    record, face = session.talk.record, session.face
    if record.store is None:
        face.remark(voice.NOTHING_STORED)
        return
    if not _agreed(session, voice.FORGET_PROMPT, voice.FORGET):
        return
    try:
        record.forget()
    except StoreError as failure:
        face.remark(str(failure))
        return
    _begin_afresh(session, voice.FORGOTTEN)


def _option(chat: Summary, *, current: bool) -> Option:
    notes = [
        voice.CURRENT if current else "",
        voice.PINNED if chat.pinned else "",
        voice.day(chat.changed_at),
        chat.excerpt if chat.excerpt != chat.title else "",
    ]
    return Option(chat.title or voice.UNTITLED, ", ".join(filter(None, notes)))


def _take_up_draft(session: Session) -> None:
    """Put a message that got no answer back on the line; another console may be having it answered, so it stays."""
    record = session.talk.record
    session.talk.draft = ""
    if record.path and record.path[-1].role == "user":
        session.talk.draft = record.path[-1].text
        record.go_to(record.path[-1].parent)


def _agreed(session: Session, prompt: str, about: str) -> bool:
    answer = session.face.ask(prompt, about=about)
    if answer is not None and answer.strip().lower() == "yes":
        return True
    session.face.remark(voice.KEPT)
    return False


def _begin_afresh(session: Session, sentence: str) -> None:
    with session.face.busy(voice.FORGETTING):
        session.talk.leave_nothing()
    show_new(session, sentence)


COMMANDS = (
    Command("chats", voice.CHATS_COMMAND, chats, key="f3", argument="[words]"),
    Command("title", voice.TITLE_COMMAND, title, argument="[title]"),
    Command("pin", voice.PIN_COMMAND, pin),
    Command("delete", voice.DELETE_COMMAND, delete),
    Command("forget", voice.FORGET_COMMAND, forget),
)
