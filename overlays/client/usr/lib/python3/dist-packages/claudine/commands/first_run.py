"""The first run: a few questions on the machine's own screen, and one small experiment.

Each question is asked once: what is done or put off is noted at once, so that a power cut does not begin it anew. Only
the recovery key is offered at each start, until somebody has confirmed that they have it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from claudine.answer import Answer, Ended, Event
from claudine.commands import Command, Session
from claudine.commands.machine import give_key, look_at_disk
from claudine.commands.settings import choose_keyboard, choose_name, choose_time_zone, saying_failure
from claudine.face import Option
from claudine.settings import directory, read_object, read_settings, write_object
from claudine.voice import KEY_OFFER, seconds
from claudine.voice import settings as voice

if TYPE_CHECKING:
    from claudine.talk import Talk

FILE = "first-run.json"
_DONE = "done"
_EXPERIMENT = "experiment"

# By the names in settings.json: what stands there has been chosen already.
_QUESTIONS: dict[str, Callable[[Session], None]] = {
    "keyboard": choose_keyboard,
    "time_zone": choose_time_zone,
    "device_name": choose_name,
}


def begin(session: Session) -> Answer | None:
    """Ask what has not been asked yet; nothing on any other screen than the machine's own, or on a desk.

    For a face to call when it starts and before it takes a message. The answer is the experiment's.
    """
    if not session.face.virtual:
        return None
    noted = {**read_settings(), **read_object(directory() / FILE)}
    return _ask(session, [name for name in (*_QUESTIONS, _EXPERIMENT) if name not in noted])


def again(session: Session, _argument: str) -> Answer | None:
    """Ask everything again."""
    with saying_failure(session.face):
        session.service.status()
        return _ask(session, [*_QUESTIONS, _EXPERIMENT])
    return None


def _ask(session: Session, due: list[str]) -> Answer | None:
    status = look_at_disk(session.face, session.service)
    if status is None:
        return None
    if due:
        session.face.remark(voice.FIRST_RUN)
    for name in due:
        if name in _QUESTIONS:
            with saying_failure(session.face):
                _QUESTIONS[name](session)
                _note(name)
    if status.wants_recovery_key:
        give_key(session.face, session.service, KEY_OFFER)
    return _experiment(session) if _EXPERIMENT in due else None


def _note(name: str) -> None:
    path = directory() / FILE
    write_object(path, {**read_object(path), name: _DONE})


def _experiment(session: Session) -> Answer | None:
    """Have one small thing answered, and say at its end what has happened."""
    options = [*map(Option, voice.TINY_QUESTIONS), Option(voice.OWN_QUESTION)]
    chosen = session.face.choose(voice.EXPERIMENT, options, about=voice.EXPERIMENT_ABOUT)
    with saying_failure(session.face):
        _note(_EXPERIMENT)
    if chosen is None:
        return None
    small = session.face.ask(voice.OWN_PROMPT) if chosen == len(voice.TINY_QUESTIONS) else voice.TINY_QUESTIONS[chosen]
    if not (small and small.strip()):
        return None
    # The likeliest words: at the conversation's own temperature, a small model speaks of something else once in many
    # times, and this is the first thing that its owner sees of it.
    answer = session.talk.send(small, temperature=0.0)
    return Answer(_explained(answer, session.talk), answer.stop)


def _explained(answer: Answer, talk: "Talk") -> Iterator[Event]:
    """Yield what *answer* does, with a remark at its end: what it was, and how to check that."""
    for event in answer:
        if isinstance(event, Ended) and event.said and not event.remark:
            yield replace(event, remark=_what_happened(event, talk))
        else:
            yield event


def _what_happened(ended: Ended, talk: "Talk") -> str:
    from claudine.facts import look

    tokens = voice.TOKENS.format(count=ended.tokens) if ended.tokens else ""
    network = look(talk.runtime.result().path).line
    return voice.WHAT_HAPPENED.format(tokens=tokens, time=seconds(ended.seconds), network=network)


COMMANDS = (Command("first-run", voice.FIRST_RUN_COMMAND, again),)
