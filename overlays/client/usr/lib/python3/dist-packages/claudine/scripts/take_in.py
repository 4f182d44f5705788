"""Conversations from a file that was exported."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from claudine.plain.interrupts import Interrupts
from claudine.plain.terminal import Terminal
from claudine.scripts import STORE_FAILED, WRONG_USE, store_directory
from claudine.store import Store
from claudine.store.transfer import take_in_lines
from claudine.voice import chats as voice


def run(options: argparse.Namespace, terminal: Terminal, _interrupts: Interrupts) -> int:
    """Take in what can be; each line that cannot is named on standard error, and the exit code is 2."""
    path = "/dev/stdin" if options.file == "-" else options.file
    try:
        with Path(path).open("rb") as file:
            done = take_in_lines(Store(store_directory(options)), file)
    except OSError as error:
        terminal.complain(voice.CANNOT_READ.format(reason=error.strerror))
        return STORE_FAILED
    if options.json:
        terminal.say(json.dumps(asdict(done)))
    else:
        terminal.say(voice.taken_in(done.new, done.extended, done.known))
    for fault in done.faults:
        terminal.complain(f"{path}:{fault.line}: {fault.reason}")
    return STORE_FAILED if done.failed else WRONG_USE if done.faults else 0
