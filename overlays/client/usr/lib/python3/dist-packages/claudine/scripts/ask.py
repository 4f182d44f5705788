"""The script's face: one question, and on standard output nothing but its answer."""

import argparse
import json
import time
from contextlib import closing

from claudine import voice
from claudine.conversation import Conversation
from claudine.plain.interrupts import Interrupts
from claudine.plain.status import Status
from claudine.plain.terminal import Terminal
from claudine.protocol import Done, Progress, RuntimeFailedError, Text, UnavailableError
from claudine.runtime import Runtime
from claudine.scripts import RUNTIME_FAILED, WRONG_USE
from claudine.stop import Stop
from claudine.text import printable


def run(options: argparse.Namespace, terminal: Terminal, interrupts: Interrupts) -> int:
    """Answer the question; "-" stands for standard input."""
    question = " ".join(options.question)
    if question == "-":
        with interrupts.armed():
            question = terminal.read_all()
    question = printable(question).strip()
    if not question:
        terminal.complain(voice.NO_QUESTION)
        return WRONG_USE
    try:
        _ask(
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


def _ask(
    runtime: Runtime,
    terminal: Terminal,
    interrupts: Interrupts,
    question: str,
    *,
    timeout_s: float,
    max_tokens: int,
    as_json: bool,
) -> None:
    """Wait for the model, ask it, print the answer as it arrives, or as one JSON object at the end.

    Raises ``RuntimeFailedError`` or ``KeyboardInterrupt``. What had arrived by then is on standard output, except with
    *as_json*.
    """
    status = Status(terminal.errors, every_s=None)
    with interrupts.armed():
        _wait(runtime, status, timeout_s)
        model = runtime.model() if as_json else None
    asked = Conversation().adding("user", question)
    started_s = time.monotonic()
    said: list[str] = []
    done = Done(prompt_tokens=None, tokens=None, cut_short=False)
    try:
        with (
            status.ticking() as ticker,
            # Always the likeliest word: a script that asks twice gets the same answer twice.
            closing(runtime.stream_chat(asked.messages, max_tokens=max_tokens, temperature=0.0)) as events,
        ):
            ticker.say(voice.THINKING)
            for event in interrupts.each(events):
                match event:
                    case Progress():
                        ticker.say(voice.reading(event.percent))
                    case Text(text):
                        said.append(text)
                        if not as_json:
                            ticker.stop()
                            terminal.say(text, end="")
                    case Done():
                        done = event
    except (RuntimeFailedError, KeyboardInterrupt):
        if said and not as_json:
            terminal.break_line()
        raise
    answer = "".join(said)
    if as_json:
        report = {
            "answer": answer,
            "model": model,
            "tokens": done.tokens,
            "seconds": round(time.monotonic() - started_s, 3),
            "cut_short": done.cut_short,
        }
        terminal.say(json.dumps(report))
    elif not answer.endswith("\n"):
        terminal.say("")


def _wait(runtime: Runtime, status: Status, timeout_s: float) -> None:
    try:
        for state, elapsed_s in runtime.until_ready(Stop()):
            if elapsed_s >= timeout_s:
                raise UnavailableError(voice.NOT_READY.format(seconds=elapsed_s, reason=state.detail))
            status.show(voice.waiting(state.kind, elapsed_s))
    finally:
        status.clear()
