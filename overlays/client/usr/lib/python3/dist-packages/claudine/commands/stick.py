"""What goes to a USB stick and what comes from one."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from claudine.commands import Command, Session
from claudine.face import Face, Option
from claudine.state import StateError, Stick
from claudine.stop import Stop
from claudine.text import one_line
from claudine.voice import chats as chats_voice
from claudine.voice import counted, size
from claudine.voice import stick as voice

if TYPE_CHECKING:
    from claudine.code import CodeBlock
    from claudine.stick import OpenStick, Place, Reading
    from claudine.store.transfer import Format
    from claudine.talk import Answer

# The kernel takes seconds to get to know a stick that was just put in.
_SETTLING_S = 8.0
_EVERY_S = 1.0

# Of the context, with our conversation: the rest is for the answer.
_ROOMY = 0.75
_LAST_ANSWERS = 20
_FIRST_LINE = 50
_MOST_FAULTS = 5


@contextmanager
def opened_stick(session: Session) -> Iterator["OpenStick | None"]:
    """Have a stick put in and opened, and closed at the end, whatever happens. None: there is none, and why was said.

    What goes wrong with the stick in the block ends the block and is said; the program goes on behind it.
    """
    from claudine.stick import OpenStick, StickError
    from claudine.store import StoreError
    from claudine.store.transfer import TransferError

    path = None
    with _saying_trouble(session.face, StateError):
        if stick := _find(session):
            with session.face.busy(voice.OPENING):
                path = session.service.open_stick(stick)
    if path is None:
        yield None
        return
    opened = None
    with ExitStack() as stack:
        stack.callback(_close, session)
        with _saying_trouble(session.face, OSError):
            opened = stack.enter_context(closing(OpenStick(path)))
        with _saying_trouble(session.face, StickError, StoreError, TransferError, OSError):
            yield opened


def _find(session: Session) -> Stick | None:
    """Return the stick that is in, or the one of several that the person chooses. Raises StateError."""
    with session.face.busy(voice.LOOKING):
        sticks = session.service.sticks()
    while not sticks:
        if session.face.ask(voice.PUT_IN_PROMPT, about=voice.PUT_IN) is None:
            return None
        stop = Stop()
        with session.face.busy(voice.LOOKING, stop):
            sticks = _wait_for_sticks(session, stop)
    if len(sticks) == 1:
        return sticks[0]
    options = [Option(stick.label or voice.UNNAMED_STICK, f"{size(stick.size_bytes)}, {stick.model}", stick.id)
               for stick in sticks]  # fmt: skip
    chosen = session.face.choose(voice.CHOOSE_STICK, options)
    return None if chosen is None else sticks[chosen]


def _wait_for_sticks(session: Session, stop: Stop) -> list[Stick]:
    deadline_s = time.monotonic() + _SETTLING_S
    while not (sticks := session.service.sticks()) and not stop.pressed and time.monotonic() < deadline_s:
        stop.sleep(_EVERY_S)
    return sticks


def _close(session: Session) -> None:
    with _saying_trouble(session.face, StateError):
        with session.face.busy(voice.CLOSING):
            session.service.close_stick()
        session.face.remark(voice.CLOSED)


@contextmanager
def _saying_trouble(face: Face, *kinds: type[Exception]) -> Iterator[None]:
    """End the block at an exception of these *kinds*, and say what it was."""
    try:
        yield
    except kinds as trouble:
        face.remark(voice.trouble(trouble) if isinstance(trouble, OSError) else str(trouble))


@dataclass(frozen=True)
class _Offer:
    """A line while one looks through a stick: to *enter* a folder, or to take the *file* or the whole *folder*."""

    option: Option
    place: "Place"
    leads_to: Literal["enter", "file", "folder"]


def _browse(face: Face, stick: "OpenStick", title: str, *, folders: bool) -> _Offer | None:
    """Let the person look through *stick* and choose a file, or with *folders* all of one. Raises OSError."""
    place: Place = ()
    while True:
        with face.busy(voice.LISTING):
            offers = _offers(stick, place, folders=folders)
        if not offers:
            face.remark(voice.EMPTY)
            return None
        chosen = face.choose(title, [offer.option for offer in offers], about=_shown(place))
        if chosen is None:
            return None
        if offers[chosen].leads_to != "enter":
            return offers[chosen]
        place = offers[chosen].place


def _offers(stick: "OpenStick", place: "Place", *, folders: bool) -> list[_Offer]:
    entries = stick.entries(place)
    offers = [_Offer(Option(voice.UP), place[:-1], "enter")] if place else []
    if folders and entries:
        offers.append(_Offer(Option(voice.WHOLE_FOLDER), place, "folder"))
    for entry in entries:
        below = (*place, entry.name)
        if entry.is_folder:
            offers.append(_Offer(Option(_shown(below[-1:]) + "/", voice.FOLDER), below, "enter"))
        else:
            offers.append(_Offer(Option(_shown(below[-1:]), size(entry.size_bytes)), below, "file"))
    return offers


def _shown(place: "Place") -> str:
    return one_line("/".join(place))


def read(session: Session, _argument: str) -> "Answer | None":
    """Take a text file, or all of a folder, into a message."""
    offer = found = None
    with opened_stick(session) as stick:
        offer = _browse(session.face, stick, voice.READ, folders=True) if stick else None
        if stick and offer:
            with session.face.busy(voice.READING):
                found = _read(stick, offer)
    if offer is None or found is None:
        return None
    if found.skipped:
        session.face.remark(voice.SKIPPED.format(count=counted(found.skipped, "file")))
    if not found.files:
        session.face.remark(voice.NO_TEXT)
        return None
    return _send(session, _shown(offer.place[-1:]) or voice.THE_STICK, found)


def _read(stick: "OpenStick", offer: _Offer) -> "Reading":
    """Return what is chosen, without files that say nothing. Raises StickError, OSError."""
    from claudine.stick import Reading

    if offer.leads_to == "folder":
        reading = stick.read_folder(offer.place)
    else:
        reading = Reading(((_shown(offer.place[-1:]), stick.read(offer.place)),))
    return Reading(tuple((name, text) for name, text in reading.files if text.strip()), reading.skipped)


def _send(session: Session, name: str, found: "Reading") -> "Answer | None":
    """Say how much it is, let the person add a question, and send both."""
    text = "\n\n".join(f"{voice.FILE_HEADER.format(name=file)}\n\n{content.strip()}" for file, content in found.files)
    about = _weigh(session, name, text)
    question = session.face.ask(voice.QUESTION_PROMPT, about=about) if about else None
    if question is None:
        session.face.remark(voice.NOT_SENT)
        return None
    return session.talk.send(f"{text}\n\n{question}".strip())


def _weigh(session: Session, name: str, text: str) -> str:
    """Say how many tokens it has, beside the context; nothing, after a remark, if they can never fit."""
    stop = Stop()
    with session.face.busy(voice.COUNTING, stop):
        tokens = session.talk.count(text, stop)
    usage = session.talk.usage
    if tokens is None or usage is None:
        return voice.UNCOUNTED.format(name=name, size=size(len(text.encode())))
    if tokens >= usage.size:
        session.face.remark(voice.TOO_MUCH.format(name=name, tokens=f"{tokens:,}", size=f"{usage.size:,}"))
        return ""
    weight = voice.FITS if usage.used + tokens < _ROOMY * usage.size else voice.FILLS
    return weight.format(name=name, tokens=f"{tokens:,}", size=f"{usage.size:,}")


def copy(session: Session, _argument: str) -> None:
    """Write one of the code blocks of the last answers to the stick."""
    from claudine.code import code_blocks
    from claudine.stick import safe_name
    from claudine.store.transfer import write_new

    answers = [entry.text for entry in reversed(session.talk.record.path) if entry.role == "assistant"]
    blocks = [block for answer in answers[:_LAST_ANSWERS] for block in code_blocks(answer) if block.text.strip()]
    if not blocks:
        session.face.remark(voice.NO_CODE)
        return
    chosen = session.face.choose(voice.COPY, [_block_option(block) for block in blocks])
    if chosen is None:
        return
    name = session.face.ask(voice.FILE_NAME_PROMPT, draft=blocks[chosen].file_name)
    if name is None:
        return
    stem, dot, extension = safe_name(name).rpartition(".")
    stem, suffix = (stem, dot + extension) if dot else (extension, "")
    with opened_stick(session) as stick:
        if stick:
            with session.face.busy(voice.COPYING):
                written = write_new(stick.path, stem, suffix, [blocks[chosen].text])
            session.face.remark(voice.COPIED.format(name=written.name))


def _block_option(block: "CodeBlock") -> Option:
    lines = block.text.splitlines()
    first = next(line for line in lines if line.strip()).strip()
    return Option(first[:_FIRST_LINE], voice.lines(block.language, len(lines)))


def export(session: Session, _argument: str) -> None:
    """Write this conversation, or all that are stored, to the stick."""
    from claudine.store.transfer import ALL_CHATS, export, file_name

    record = session.talk.record
    store = record.store
    if store is None:
        session.face.remark(voice.NOTHING_TO_EXPORT)
        return
    # A private conversation is not stored, and nothing of it leaves by accident.
    offers = [*(_THIS if record.path and not record.private else ()), *_ALL]
    chosen = session.face.choose(voice.EXPORT, [offer.option for offer in offers])
    if chosen is None:
        return
    offer = offers[chosen]
    with opened_stick(session) as stick:
        if stick:
            with session.face.busy(voice.EXPORTING):
                chats = [store.read(record.id)] if offer in _THIS else store.each()
                name = file_name(record.title) if offer in _THIS else ALL_CHATS
                written = export(chats, stick.path, offer.format, name)
            session.face.remark(voice.EXPORTED.format(name=written.name))


@dataclass(frozen=True)
class _Export:
    option: Option
    format: "Format"


_THIS = (_Export(Option(*voice.THIS_MARKDOWN), "md"), _Export(Option(*voice.THIS_JSON), "jsonl"))
_ALL = (_Export(Option(*voice.ALL_MARKDOWN), "md"), _Export(Option(*voice.ALL_JSON), "jsonl"))


def take_in(session: Session, _argument: str) -> None:
    """Take conversations from a file on the stick."""
    from claudine.store.transfer import take_in_lines

    store = session.talk.record.store
    if store is None:
        session.face.remark(voice.NO_STORE)
        return
    with opened_stick(session) as stick:
        offer = _browse(session.face, stick, voice.IMPORT, folders=False) if stick else None
        if stick and offer:
            with session.face.busy(voice.IMPORTING), stick.open(offer.place) as file:
                done = take_in_lines(store, file)
            session.face.remark(chats_voice.taken_in(done.new, done.extended, done.known))
            for fault in done.faults[:_MOST_FAULTS]:
                session.face.remark(voice.FAULT.format(line=fault.line, reason=fault.reason))


COMMANDS = (
    Command("export", voice.EXPORT_COMMAND, export),
    Command("import", voice.IMPORT_COMMAND, take_in),
    Command("read", voice.READ_COMMAND, read),
    Command("copy", voice.COPY_COMMAND, copy),
)
