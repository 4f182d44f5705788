"""Turning the machine off, and starting it anew."""

from claudine.commands import Command, Session
from claudine.face import Option
from claudine.state import NoServiceError, StateError
from claudine.voice import power as voice

_POWER_OFF, _RESTART = range(2)


def _offer(session: Session, start: int) -> None:
    """Let the person choose; the choice is the confirmation, and Escape is a choice as well."""
    face = session.face
    try:
        session.service.status()
    except NoServiceError:
        face.remark(voice.ON_A_DESK)
        return
    except StateError:
        # A disk that cannot be looked at is no reason to stay on.
        pass
    options = (
        Option(voice.POWER_OFF, voice.POWER_OFF_NOTE, key="p"),
        Option(voice.RESTART, voice.RESTART_NOTE, key="r"),
        Option(voice.STAY, voice.STAY_NOTE, key="s"),
    )
    chosen = face.choose(voice.POWER, options, about=_what_stays(session), start=start)
    if chosen not in (_POWER_OFF, _RESTART):
        return
    if session.talk.draft:
        session.talk.record.keep_draft(session.talk.draft)
    try:
        with face.busy(voice.ASKING):
            if chosen == _POWER_OFF:
                session.service.power_off()
            else:
                session.service.restart()
    except StateError as failure:
        face.remark(str(failure))
    else:
        face.remark(voice.POWERING_OFF if chosen == _POWER_OFF else voice.RESTARTING)


def _what_stays(session: Session) -> str:
    record = session.talk.record
    if record.private:
        return voice.PRIVATE_GOES
    return voice.POWER_ABOUT if record.saves else voice.UNSAVED_GOES


def _power_off(session: Session, _argument: str) -> None:
    _offer(session, _POWER_OFF)


def _restart(session: Session, _argument: str) -> None:
    _offer(session, _RESTART)


COMMANDS: tuple[Command, ...] = (
    Command("power-off", voice.POWER_OFF_COMMAND, _power_off, key="f10"),
    Command("restart", voice.RESTART_COMMAND, _restart),
)
