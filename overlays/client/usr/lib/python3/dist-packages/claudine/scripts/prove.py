"""The checks of what this machine promises, for a script: the exit code is 0 when all of them passed."""

import argparse
import json
from dataclasses import asdict

from claudine.commands.proof import render
from claudine.plain.interrupts import Interrupts
from claudine.plain.status import Status
from claudine.plain.terminal import Terminal
from claudine.proof import prove
from claudine.runtime import Runtime
from claudine.scripts import CHECK_FAILED
from claudine.state import StateService


def run(options: argparse.Namespace, terminal: Terminal, interrupts: Interrupts) -> int:
    """Print the page, or with ``--json`` one object: passed, and checks."""
    status = Status(terminal.errors, every_s=None)
    try:
        with interrupts.armed():
            checks = list(prove(StateService(options.state_socket), Runtime(options.socket), say=status.show))
    finally:
        status.clear()
    passed = all(check.passed for check in checks)
    if options.json:
        terminal.say(json.dumps({"passed": passed, "checks": [asdict(check) for check in checks]}))
    else:
        terminal.say(render(checks))
    return 0 if passed else CHECK_FAILED
