"""What a script can ask for: one module a verb, each with ``run(options, terminal, interrupts)``.

Standard output carries the result and nothing else. What the verbs take is declared here, so that only the one that is
asked for need be loaded.
"""

import argparse
import importlib
import os
from typing import TYPE_CHECKING

from claudine.defaults import MAX_TOKENS, STATE_SOCKET, STORE, TIMEOUT_S
from claudine.plain.interrupts import Interrupts
from claudine.plain.terminal import Terminal

if TYPE_CHECKING:
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

NOT_READY, WRONG_USE, RUNTIME_FAILED = 1, 2, 3
CHECK_FAILED = 1
STORE_FAILED = 3


def store_directory(options: argparse.Namespace) -> str:
    """Return where conversations are kept: as given, as the service says, or where an appliance has them."""
    directory: str = options.store or os.environ.get("STATE_DIRECTORY", STORE)
    return directory


def run_script(options: argparse.Namespace, terminal: Terminal, interrupts: Interrupts) -> int:
    """Do what was asked for and return the exit code."""
    script = importlib.import_module(f"claudine.scripts.{options.script}")
    code: int = script.run(options, terminal, interrupts)
    return code


def add_scripts(commands: "Parsers", shared: argparse.ArgumentParser) -> None:
    """Declare the verbs. *shared* is what all those take that speak with the runtime."""
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
    ask.set_defaults(script="ask")

    status = commands.add_parser("status", parents=[shared], help="how the runtime is; exit code 0 when it is ready")
    status.add_argument(
        "--json", action="store_true",
        help="one object: state, detail, model, socket, runtime, disk, memory, temperature, facts",
    )  # fmt: skip
    add_state_socket(status)
    status.set_defaults(script="status")

    prove = commands.add_parser(
        "prove", parents=[shared], help="check what this machine promises; exit code 0 when all of it holds, else 1"
    )
    prove.add_argument("--json", action="store_true", help="one object: passed, checks")
    add_state_socket(prove)
    prove.set_defaults(script="prove")

    _add_store_scripts(commands)


def add_state_socket(parser: argparse.ArgumentParser) -> None:
    """Let the socket of the state service be given."""
    parser.add_argument(
        "--state-socket", metavar="PATH", default=STATE_SOCKET,
        help="the socket of the service that looks after the disk (%(default)s)",
    )  # fmt: skip


def _add_store_scripts(commands: "Parsers") -> None:
    store = argparse.ArgumentParser(add_help=False)
    store.add_argument("--store", metavar="DIR", help=f"where conversations are kept ({STORE})")

    chats = commands.add_parser("chats", parents=[store], help="list the conversations, pinned and newest first")
    chats.add_argument("--search", metavar="WORDS", help="only those with all these words; the last may be only begun")
    chats.add_argument("--json", action="store_true", help="one object a line: id, title, pinned, changed_at, excerpt")
    chats.set_defaults(script="chats")

    export = commands.add_parser("export", parents=[store], help="write conversations to a file of their own")
    export.add_argument(
        "directory", metavar="DIR", nargs="?", default="-",
        help='where to put the file; "-", the default, writes to standard output',
    )  # fmt: skip
    export.add_argument(
        "--format", choices=("md", "jsonl"), default="jsonl",
        help="md is for reading; jsonl has everything, and can be imported (%(default)s)",
    )  # fmt: skip
    export.add_argument("--chat", metavar="ID", help="only this one; claudine chats --json lists the ids")
    export.add_argument("--json", action="store_true", help="one object: file; not with standard output")
    export.set_defaults(script="export")

    import_ = commands.add_parser("import", parents=[store], help="take in conversations that were exported as jsonl")
    import_.add_argument("file", metavar="FILE", help='the file; "-" reads standard input')
    import_.add_argument("--json", action="store_true", help="one object: new, extended, known, failed, faults")
    import_.set_defaults(script="take_in")


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
