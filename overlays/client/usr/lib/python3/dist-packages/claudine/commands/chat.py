"""The conversation that is open: going on with it, going back in it, and making room."""

from typing import TYPE_CHECKING

from claudine import voice as common
from claudine.commands import Command, Session
from claudine.face import Option
from claudine.text import first_words
from claudine.tree import Entry
from claudine.voice import chat as voice

if TYPE_CHECKING:
    from claudine.talk import Answer, MakeRoom


def _new(session: Session, _argument: str) -> None:
    session.talk.record.begin()
    show_new(session, voice.AFRESH)


def _private(session: Session, _argument: str) -> None:
    session.talk.record.begin(private=True)
    show_new(session, voice.PRIVATE_BEGUN)


def show_new(session: Session, sentence: str) -> None:
    """Say *sentence* of the conversation that has just begun, with nothing on the line."""
    session.talk.draft = ""
    session.face.remark(sentence)
    session.face.show_conversation()


def _again(session: Session, _argument: str) -> "Answer | None":
    answer = session.talk.again()
    if answer is None:
        session.face.remark(voice.NOTHING_YET)
    return answer


def _go_on(session: Session, _argument: str) -> "Answer | None":
    answer = session.talk.go_on()
    if answer is None:
        session.face.remark(voice.NO_ANSWER_YET)
    return answer


def _edit(session: Session, text: str) -> "Answer | None":
    own = [entry for entry in session.talk.record.path if entry.role == "user"]
    if not own:
        session.face.remark(voice.NOTHING_YET)
        return None
    return _change(session, own[-1], text)


def _change(session: Session, entry: Entry, text: str = "") -> "Answer | None":
    prompt = voice.EDIT_PROMPT if entry.role == "user" else voice.EDIT_ANSWER_PROMPT
    if not (text or session.face.interactive):
        session.face.remark(common.NEEDS_A_PERSON)
        return None
    new = text or session.face.ask(prompt, draft=entry.text)
    if not (new and new.strip()):
        return None
    answer = session.talk.edit(entry.id, new)
    if answer is None:
        session.face.remark(voice.EDITED)
        session.face.show_conversation()
    return answer


def _back(session: Session, _argument: str) -> "Answer | None":
    record, face = session.talk.record, session.face
    newest_first = record.path[::-1]
    if not newest_first:
        face.remark(voice.NOTHING_YET)
        return None
    chosen = face.choose(voice.BACK, [Option(_line(entry)) for entry in newest_first], about=voice.BACK_ABOUT)
    if chosen is None:
        return None
    entry = newest_first[chosen]
    versions = record.tree.siblings(entry)
    options = [Option(voice.CHANGE, voice.CHANGE_NOTE)]
    if entry.role == "assistant":
        options.append(Option(voice.FROM_HERE, voice.FROM_HERE_NOTE))
    if len(versions) > 1:
        options.append(Option(voice.VERSIONS, str(len(versions))))
    what = face.choose(voice.WHAT_TO_DO, options)
    if what is None:
        return None
    if options[what].title == voice.CHANGE:
        return _change(session, entry)
    if options[what].title == voice.FROM_HERE:
        record.go_to(entry.id)
        face.remark(voice.BACK_THERE)
        face.show_conversation()
        return None
    start = versions.index(entry)
    version = face.choose(voice.VERSIONS_TITLE, [Option(_line(other)) for other in versions], start=start)
    if version is not None:
        _show_version(session, versions, version)
    return None


def _other(session: Session, _argument: str) -> None:
    tree = session.talk.record.tree
    for entry in reversed(session.talk.record.path):
        versions = tree.siblings(entry)
        if len(versions) > 1:
            _show_version(session, versions, (versions.index(entry) + 1) % len(versions))
            return
    session.face.remark(voice.NO_OTHER)


def _show_version(session: Session, versions: tuple[Entry, ...], place: int) -> None:
    record = session.talk.record
    record.go_to(record.tree.leaf_below(versions[place].id))
    session.face.remark(voice.VERSION.format(number=place + 1, count=len(versions)))
    session.face.show_conversation()


def _context(session: Session, _argument: str) -> "Answer | None":
    talk, face = session.talk, session.face
    usage = talk.usage
    if usage is None:
        face.remark(voice.CONTEXT_UNKNOWN)
        return None
    fill = voice.CONTEXT.format(used=usage.used, size=usage.size, percent=100 * usage.used // usage.size)
    fill = " ".join(filter(None, [fill, voice.SPEED.format(speed=talk.speed) if talk.speed else ""]))
    if not (face.interactive and talk.record.path):
        face.remark(fill)
        return None
    how = choose_room(session, f"{fill} {voice.ROOM_ABOUT}")
    if how is None:
        return None
    answer = talk.shorten(how)
    if answer is None:
        show_new(session, voice.AFRESH)
    return answer


def choose_room(session: Session, about: str) -> "MakeRoom | None":
    """Ask how to make room for a conversation that does not fit, or soon will not; None leaves it."""
    options = [Option(title, note) for _, title, note in _ROOM]
    chosen = session.face.choose(voice.ROOM, options, about=about)
    return None if chosen is None else _ROOM[chosen][0]


def _line(entry: Entry) -> str:
    return f"{voice.YOU if entry.role == 'user' else voice.CLAUDINE}: {first_words(entry.text, 60)}"


_ROOM: "tuple[tuple[MakeRoom | None, str, str], ...]" = (
    ("summarise", voice.SUMMARISE, voice.SUMMARISE_NOTE),
    ("drop", voice.DROP, voice.DROP_NOTE),
    ("fresh", voice.FRESH, voice.FRESH_NOTE),
    (None, voice.LEAVE, ""),
)

COMMANDS = (
    Command("new", voice.NEW_COMMAND, _new, key="ctrl+n", needs_person=False),
    Command("again", voice.AGAIN_COMMAND, _again, key="ctrl+r", needs_person=False),
    Command("go-on", voice.GO_ON_COMMAND, _go_on, key="ctrl+g", needs_person=False),
    Command("edit", voice.EDIT_COMMAND, _edit, argument="[text]", needs_person=False),
    Command("back", voice.BACK_COMMAND, _back, key="f5"),
    Command("other", voice.OTHER_COMMAND, _other, key="f6", needs_person=False),
    Command("private", voice.PRIVATE_COMMAND, _private, key="f8", needs_person=False),
    Command("context", voice.CONTEXT_COMMAND, _context, needs_person=False),
)
