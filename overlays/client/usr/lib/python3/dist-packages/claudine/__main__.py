"""The command line: which face, which socket, which exit code.

    claudine                        talk, on this terminal
    claudine ask "What is a slot?"  one answer on standard output; "-" reads the question from standard input
    claudine status --json          how the runtime is, and the machine
    claudine prove                  what the machine promises, checked
    claudine chats --search slot    the conversations that are kept here; export and import move them

Exit codes: 0 done, 1 not ready (status) or not proven (prove), 2 wrong use, 3 the runtime failed, 130 stopped with
Ctrl+C. What is slow to load is imported after the greeting.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from claudine import voice
from claudine.defaults import SOCKET, STATE_SOCKET, STORE
from claudine.plain.interrupts import Interrupts
from claudine.plain.status import TerminalGoneError
from claudine.plain.terminal import Terminal
from claudine.scripts import RUNTIME_FAILED, add_scripts, add_state_socket, run_script, store_directory
from claudine.voice import screen as screen_voice

if TYPE_CHECKING:
    from claudine.answer import Answer
    from claudine.commands import Command, Session
    from claudine.face import Face
    from claudine.models import ModelsService
    from claudine.runtime import Runtime
    from claudine.screen.work import Job
    from claudine.store import Store

STOPPED, READER_GONE = 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code. No traceback leaves it."""
    interrupts = Interrupts()
    options = _parser().parse_args(arguments)
    terminal = Terminal()
    try:
        if options.command in (None, "chat"):
            return _chat(options, terminal, interrupts)
        return run_script(options, terminal, interrupts)
    except KeyboardInterrupt:
        return STOPPED
    except TerminalGoneError:
        terminal.abandon()
        return 0 if options.command in (None, "chat") else READER_GONE
    except Exception as error:
        # Whoever sits before an appliance can do nothing with a traceback; its last place is enough to find the fault.
        fault = f"{type(error).__name__} at {_place(error.__traceback__)}: {error}"
        terminal.complain(voice.STUMBLED.format(fault=fault))
        return RUNTIME_FAILED


def _chat(options: argparse.Namespace, terminal: Terminal, interrupts: Interrupts) -> int:
    if options.stay:
        # There is no shell that could bring back what a key suspends or kills.
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    terminal.say(voice.GREETING)
    if not options.plain and _shows_screen(options, terminal):
        return 0

    from claudine.commands.machine import greet
    from claudine.plain.face import LineFace
    from claudine.state import StateService

    face = LineFace(terminal, interrupts)
    # What is asked first on the machine's own screen tells all this, too.
    own_screen = options.stay and terminal.virtual
    if terminal.interactive and not own_screen:
        greet(face, StateService(options.state_socket), stays=options.stay)

    from claudine.plain.lines import LineChat
    from claudine.protocol import UnavailableError

    session, commands = _session(options, terminal, face)
    opening = partial(_open, session, stays=True) if own_screen else None
    with terminal.keeping_output():
        try:
            LineChat(session, commands, face, terminal, interrupts, stays=options.stay).run(opening)
        except UnavailableError as failure:
            terminal.say(str(failure))
            return RUNTIME_FAILED
    return 0


def _shows_screen(options: argparse.Namespace, terminal: Terminal) -> bool:
    """Talk on a screen, where one is wanted and can be had; say whether there was one."""
    from claudine.screen import start

    if not start.wanted(terminal):
        return False
    is_up = False

    def prepare(face: "Face") -> "tuple[Session, Sequence[Command], Job]":
        nonlocal is_up
        is_up = True
        session, commands = _session(options, terminal, face)
        session.talk.resume()
        return session, commands, partial(_open, session, stays=options.stay)

    reason = start.why_not()
    try:
        if not reason:
            start.run(prepare, partial(_look, options.socket), stays=options.stay, virtual=terminal.virtual)
            return True
    except TerminalGoneError:
        raise
    except Exception as error:
        if is_up:
            raise
        reason = f"{type(error).__name__}: {error}"
    terminal.remark(screen_voice.NO_SCREEN.format(reason=reason))
    return False


def _open(session: "Session", *, stays: bool) -> "Answer | None":
    from claudine.commands import first_run, machine

    if stays and session.face.virtual:
        return first_run.begin(session)
    machine.greet(session.face, session.service, stays=stays)
    return None


def _look(socket: str) -> str:
    from claudine.facts import look

    return look(socket).line


def _session(options: argparse.Namespace, terminal: Terminal, face: "Face") -> "tuple[Session, Sequence[Command]]":
    from concurrent.futures import ThreadPoolExecutor

    from claudine.commands import Session
    from claudine.commands.table import COMMANDS
    from claudine.models import ModelsService
    from claudine.record import Record
    from claudine.state import StateService
    from claudine.talk import Talk

    runtime = ThreadPoolExecutor(max_workers=1).submit(_runtime, options.socket)
    models = ModelsService.beside(options.state_socket)
    talk = Talk(
        runtime,
        Record(_store(options, terminal), terminal.name, face.remark),
        trouble=models.trouble,
        look_closer=partial(_warn, models, face),
    )
    return Session(talk, face, StateService(options.state_socket)), COMMANDS


def _warn(models: "ModelsService", face: "Face") -> str:
    from claudine.voice.models import ON_PROCESSOR

    warning = models.warning()
    if warning:
        face.remark(warning)
    return ON_PROCESSOR if warning else ""


def _runtime(socket: str) -> "Runtime":
    from claudine.runtime import Runtime

    return Runtime(socket)


def _store(options: argparse.Namespace, terminal: Terminal) -> "Store | None":
    """Return the store, or None: a pipe's words are not kept, and a desk may well have no place for them."""
    from claudine.store import Store

    directory = store_directory(options)
    expected = options.stay or options.store
    return Store(directory) if terminal.interactive and (expected or os.access(directory, os.W_OK)) else None


def _parser() -> argparse.ArgumentParser:
    # Taken before the command and after it; only a value that was given replaces the other.
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--socket", metavar="PATH", default=argparse.SUPPRESS, help=f"the runtime's socket ({SOCKET})")
    plain_help = "lines of flat text, for a serial line, a screen reader or a pipe"
    parser = argparse.ArgumentParser(prog="claudine", description="Talk with the model on this machine.")
    parser.add_argument("--socket", metavar="PATH", default=SOCKET, help="the runtime's socket (%(default)s)")
    parser.add_argument("--plain", action="store_true", help=plain_help)
    parser.set_defaults(stay=False, store=None, state_socket=STATE_SOCKET)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    chat = commands.add_parser("chat", parents=[shared], help="talk on this terminal; this is the default")
    chat.add_argument("--plain", action="store_true", default=argparse.SUPPRESS, help=plain_help)
    chat.add_argument("--stay", action="store_true", help="an appliance's screen: no key leaves the conversation")
    chat.add_argument("--store", metavar="DIR", help=f"where conversations are kept ({STORE}, if that is there)")
    add_state_socket(chat)

    add_scripts(commands, shared)
    return parser


def _place(trace: TracebackType | None) -> str:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"


if __name__ == "__main__":
    sys.exit(main())
