"""Every command, in the order of the menu."""

from collections.abc import Sequence

from claudine.commands import (
    Command,
    Session,
    chat,
    chats,
    chosen,
    first_run,
    machine,
    models,
    power,
    proof,
    settings,
    stick,
)
from claudine.voice import chat as voice
from claudine.voice import plain


def help_page(commands: Sequence[Command]) -> str:
    """Return what there is to know of *commands* and of the keys, for a page of flat text."""
    calls = [f"/{command.name} {command.argument}".rstrip() for command in commands]
    width = max(map(len, calls)) + 2
    lines = [f"  {call.ljust(width)}{command.title}" for call, command in zip(calls, commands, strict=True)]
    return "\n".join([plain.HELP, *lines])


def _help(session: Session, _argument: str) -> None:
    session.face.page(voice.HELP_TITLE, help_page(COMMANDS))


COMMANDS: tuple[Command, ...] = (
    Command("help", voice.HELP_COMMAND, _help, key="f1", needs_person=False),
    *chat.COMMANDS,
    *chosen.COMMANDS,
    *chats.COMMANDS,
    *stick.COMMANDS,
    *models.COMMANDS,
    *proof.COMMANDS,
    *settings.COMMANDS,
    *first_run.COMMANDS,
    *machine.COMMANDS,
    *power.COMMANDS,
)
