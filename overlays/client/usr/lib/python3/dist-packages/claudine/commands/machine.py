"""The machine itself: its recovery key, its disk, and the way back to an empty one.

It comes before the model, on a screen that somebody waits for: this module imports nothing slow.
"""

from claudine import voice
from claudine.commands import Command, Session
from claudine.face import Face
from claudine.state import DiskStatus, NoServiceError, StateError, StateService


def greet(face: Face, service: StateService, *, stays: bool) -> None:
    """Say at once what the owner should know of the disk; on the machine's own screen, the first run does that."""
    status = look_at_disk(face, service)
    if status and stays and status.wants_recovery_key:
        face.remark(voice.KEY_WAITS)


def look_at_disk(face: Face, service: StateService) -> DiskStatus | None:
    """Return how the disk is, and say so if it is almost full; None if there is none, or after saying why not."""
    try:
        with face.busy(voice.LOOKING):
            status = service.status()
    except NoServiceError:
        return None
    except StateError as failure:
        face.remark(str(failure))
        return None
    if status.almost_full:
        face.remark(voice.DISK_ALMOST_FULL)
    return status


def _renew_key(session: Session, _argument: str) -> None:
    """Make, show and confirm a new recovery key."""
    try:
        session.service.status()
    except StateError as failure:
        session.face.remark(str(failure))
    else:
        give_key(session.face, session.service, voice.KEY_RENEWAL)


def _reset(session: Session, _argument: str) -> None:
    """Erase the disk, once the person has typed that."""
    face = session.face
    try:
        session.service.status()
        if face.ask(voice.RESET_PROMPT, about=voice.RESET) != voice.RESET_WORDS:
            face.remark(voice.NOTHING_ERASED)
            return
        with face.busy(voice.RESETTING):
            session.service.factory_reset()
    except StateError as failure:
        face.remark(str(failure))
    else:
        face.remark(voice.RESET_DONE)


def give_key(face: Face, service: StateService, offer: str) -> None:
    """Lead through the ceremony. Nothing is made before Enter."""
    if not face.wipes:
        face.remark(voice.KEY_STAYS)
    answer = face.ask(voice.KEY_OFFER_PROMPT, about=offer)
    while answer and answer.lower() != voice.LATER:
        answer = face.ask(voice.KEY_OFFER_PROMPT)
    if answer != "":
        face.remark(voice.KEY_POSTPONED)
        return
    try:
        with face.busy(voice.MAKING_KEY):
            # Before the key is made: it must not be lost because this cannot be loaded.
            from claudine.qr import qr_rows

            key = service.new_recovery_key()
    except StateError as failure:
        face.remark(str(failure))
        return
    face.remark(voice.KEY_CONFIRMED if _confirm(face, service, key, qr_rows(key)) else voice.KEY_UNCONFIRMED)


def _confirm(face: Face, service: StateService, key: str, picture: list[str]) -> bool:
    """Show *key* and have the person confirm it; say whether that is noted."""
    if not _show(face, key, picture):
        return False
    try:
        with face.busy(voice.CONFIRMING):
            service.confirm_recovery_key()
    except StateError as failure:
        face.remark(str(failure))
        return False
    return True


def _show(face: Face, key: str, picture: list[str]) -> bool:
    """Show *key* until its last group is typed (True) or put off."""
    groups = key.split("-")
    rows = [" - ".join(groups[:4]) + " -", " - ".join(groups[4:]), *picture]
    note = voice.KEY_NOTE
    while (answer := face.ask_alone(rows, note, voice.KEY_PROMPT)) is not None:
        typed = answer.lower().replace("-", "").replace(" ", "")
        if typed == voice.LATER:
            return False
        if typed == groups[-1]:
            return True
        note = voice.KEY_WRONG
    return False


COMMANDS = (
    Command("recovery-key", voice.RECOVERY_KEY_COMMAND, _renew_key),
    Command("reset", voice.RESET_COMMAND, _reset),
)
