"""The command line: which face, which socket, which exit code.

    claudine                        talk, on this terminal
    claudine ask "What is a slot?"  one answer on standard output; "-" reads the question from standard input
    claudine status --json          how the runtime is

Exit codes: 0 done, 1 not ready (status), 2 wrong use, 3 the runtime failed, 130 stopped with Ctrl+C. What is slow to
load is imported after the greeting.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from claudine import voice
from claudine.defaults import MAX_TOKENS, SOCKET, STATE_SOCKET, STORE, TIMEOUT_S
from claudine.plain.interrupts import Interrupts
from claudine.plain.status import TerminalGoneError
from claudine.plain.terminal import Terminal

if TYPE_CHECKING:
    from claudine.runtime import Runtime
    from claudine.store import Store

NOT_READY, WRONG_USE, RUNTIME_FAILED, STOPPED, READER_GONE = 1, 2, 3, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code. No traceback leaves it."""
    interrupts = Interrupts()
    options = _parser().parse_args(arguments)
    terminal = Terminal()
    try:
        return _FACES[options.command or "chat"](options, terminal, interrupts)
    except KeyboardInterrupt:
        return STOPPED
    except TerminalGoneError:
        terminal.abandon()
        return 0 if options.command in (None, "chat") else READER_GONE
    except Exception as error:
        # Whoever sits before an appliance can do nothing with a traceback; its last place is enough to find the fault.
        fault = f"{type(error).__name__} at {_place(error.__traceback__)}: {error}"
        terminal.complain(f"I stumbled over a fault of my own: {fault}")
        return RUNTIME_FAILED


def _chat(options: argparse.Namespace, terminal: Terminal, interrupts: Interrupts) -> int:
    if options.stay:
        # There is no shell that could bring back what a key suspends or kills.
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    terminal.say(voice.GREETING)

    from claudine.commands.machine import Machine
    from claudine.state import StateService

    machine = Machine(StateService(options.state_socket), terminal, interrupts)
    if terminal.interactive:
        machine.greet(stays=options.stay)

    from concurrent.futures import ThreadPoolExecutor

    from claudine.plain.lines import LineChat
    from claudine.protocol import UnavailableError
    from claudine.record import Record

    record = Record(_store(options, terminal), terminal.name, terminal.remark)
    with ThreadPoolExecutor(max_workers=1) as aside, terminal.keeping_output():
        runtime = aside.submit(_runtime, options.socket)
        try:
            LineChat(runtime, terminal, interrupts, record, machine, stays=options.stay).run()
        except UnavailableError as failure:
            terminal.say(str(failure))
            return RUNTIME_FAILED
    return 0


def _runtime(socket: str) -> "Runtime":
    from claudine.runtime import Runtime

    return Runtime(socket)


def _store(options: argparse.Namespace, terminal: Terminal) -> "Store | None":
    """Return the store, or None: a pipe's words are not kept, and a desk may well have no place for them."""
    from claudine.store import Store

    directory = options.store or os.environ.get("STATE_DIRECTORY", STORE)
    expected = options.stay or options.store
    return Store(directory) if terminal.interactive and (expected or os.access(directory, os.W_OK)) else None


def _ask(options: argparse.Namespace, terminal: Terminal, interrupts: Interrupts) -> int:
    from claudine.ask import ask
    from claudine.protocol import RuntimeFailedError
    from claudine.runtime import Runtime
    from claudine.text import printable

    question = " ".join(options.question)
    if question == "-":
        with interrupts.armed():
            question = terminal.read_all()
    question = printable(question).strip()
    if not question:
        terminal.complain('There is no question. For example: claudine ask "What is the capital of France?"')
        return WRONG_USE
    try:
        ask(
            Runtime(options.socket),
            terminal,
            interrupts,
            question,
            timeout_s=options.timeout,
            max_tokens=options.max_tokens,
            as_json=options.json,
        )
    except RuntimeFailedError as failure:
        terminal.complain(str(failure))
        return RUNTIME_FAILED
    return 0


def _status(options: argparse.Namespace, terminal: Terminal, interrupts: Interrupts) -> int:
    import json

    from claudine.runtime import Kind, Runtime

    with interrupts.armed():
        runtime = Runtime(options.socket)
        state = runtime.state()
        model = runtime.model() if state.kind is Kind.READY else None
    if options.json:
        report = {"state": state.kind, "detail": state.detail, "model": model, "socket": options.socket}
        terminal.say(json.dumps(report))
    else:
        terminal.say(": ".join(filter(None, [state.kind, state.detail or model])))
    return 0 if state.kind is Kind.READY else NOT_READY


_FACES = {"chat": _chat, "ask": _ask, "status": _status}


def _parser() -> argparse.ArgumentParser:
    # Taken before the command and after it; only a value that was given replaces the other.
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--socket", metavar="PATH", default=argparse.SUPPRESS, help=f"the runtime's socket ({SOCKET})")
    parser = argparse.ArgumentParser(prog="claudine", description="Talk with the model on this machine.")
    parser.add_argument("--socket", metavar="PATH", default=SOCKET, help="the runtime's socket (%(default)s)")
    parser.set_defaults(stay=False, store=None, state_socket=STATE_SOCKET)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    chat = commands.add_parser("chat", parents=[shared], help="talk on this terminal; this is the default")
    chat.add_argument("--stay", action="store_true", help="an appliance's screen: no key leaves the conversation")
    chat.add_argument("--store", metavar="DIR", help=f"where conversations are kept ({STORE}, if that is there)")
    chat.add_argument(
        "--state-socket", metavar="PATH", default=STATE_SOCKET,
        help="the socket of the service that looks after the disk (%(default)s)",
    )  # fmt: skip

    ask = commands.add_parser("ask", parents=[shared], help="answer one question on standard output")
    ask.add_argument("question", nargs="+", help='the question; "-" reads it from standard input')
    ask.add_argument(
        "--timeout", metavar="SECONDS", type=_seconds, default=TIMEOUT_S,
        help="how long to wait for the model to be ready, 0 for not at all (%(default)g)",
    )  # fmt: skip
    ask.add_argument(
        "--max-tokens", metavar="N", type=_count, default=MAX_TOKENS,
        help="the longest answer, in tokens (%(default)d)",
    )  # fmt: skip
    ask.add_argument("--json", action="store_true", help="one object: answer, model, tokens, seconds, cut_short")

    status = commands.add_parser("status", parents=[shared], help="how the runtime is; exit code 0 when it is ready")
    status.add_argument("--json", action="store_true", help="one object: state, detail, model, socket")
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, for example 600")
    return value


def _count(text: str) -> int:
    if not (text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of tokens, for example 256")
    return int(text)


def _place(trace: TracebackType | None) -> str:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"


if __name__ == "__main__":
    sys.exit(main())
