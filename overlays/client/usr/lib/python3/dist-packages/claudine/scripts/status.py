"""How the runtime is."""

import argparse
import json

from claudine.plain.interrupts import Interrupts
from claudine.plain.terminal import Terminal
from claudine.runtime import Kind, Runtime
from claudine.scripts import NOT_READY


def run(options: argparse.Namespace, terminal: Terminal, interrupts: Interrupts) -> int:
    """Say it in one line; the exit code is 0 when it is ready."""
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
