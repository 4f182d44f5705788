"""One model in place of another: the old one goes on until the new one has answered, where there is memory for both."""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from claudine_runtime import choice, server
from claudine_runtime.ddi import ImageError
from claudine_runtime.plan import Needs
from claudine_runtime.shelf import Record, Shelf, available_bytes, look_into, read_model
from claudine_runtime.unit import Result, process, show, unit_name, why_it_failed
from claudine_state.run import CommandError

Tell = Callable[[str, int | None], None]
"""Hears of a step and its percentage, and may end everything by raising something."""

_MIB = 1 << 20

REASONS: Mapping[Result, str] = {
    "oom": "It needs more memory than there is.",
    "unsigned": "Its image is not signed.",
    "foreign": "Its image is signed by somebody else.",
    "changed": "Its image was changed, or is damaged.",
    "missing": "Its image is not there.",
    "crashed": "Its server ended; the journal says why.",
}


class UseError(Exception):
    """A model that is not used; ``str()`` is the sentence for the other end."""


def use_model(shelf: Shelf, model: str, wish: int | None, tell: Tell) -> None:
    """Have *model* answer from now on, with at most *wish* tokens of context. Raises UseError, and what *tell* raises.

    Whatever ends it early, the model from before is the one in use.
    """
    record = _usable(shelf, model)
    tokens = shelf.choose_context(record.needs, wish)
    if not tokens:
        raise UseError(too_large(shelf, record.needs))
    switch(shelf, model, wish, tell, beside=_both_fit(shelf, record.needs.memory_bytes(tokens)))
    choice.keep_choice(shelf, model, wish)


def apply_choice(shelf: Shelf) -> int:
    """Start the chosen model in place of the image's own, which comes back if that fails; return an exit code."""
    chosen = choice.read_choice(shelf)
    if chosen is None:
        print("The choice of a model cannot be read; the image's own one stays.", file=sys.stderr)
        return 1
    model, wish = chosen
    try:
        _usable(shelf, model)
        # Not beside each other: nobody has begun to talk to the other one.
        switch(shelf, model, wish, lambda step, percent: None, beside=False)
    except UseError as error:
        print(f"The chosen model {model} is not used: {error}", file=sys.stderr)
        return 1
    return 0


def switch(shelf: Shelf, model: str, wish: int | None, tell: Tell, *, beside: bool) -> None:
    """Start *model* and stop the one in use: after it has answered if *beside*, else before."""
    old = shelf.in_use()
    beside = beside and model != old
    before = shelf.chosen_context(model)
    try:
        write_wish(shelf, model, wish)
        if not beside:
            _stop(shelf, old)
            # So that the client waits for the one that comes.
            point_to(shelf, model)
        _start(shelf, model, tell)
    except BaseException:
        _stop(shelf, model)
        write_wish(shelf, model, before)
        if not beside:
            point_to(shelf, old)
            with suppress(CommandError):
                shelf.host.run(["systemctl", "--no-block", "start", unit_name(old)])
        raise
    if beside:
        point_to(shelf, model)
        _stop(shelf, old)


def write_wish(shelf: Shelf, model: str, wish: int | None) -> None:
    """Write down for the unit how short a conversation the owner wants."""
    path = shelf.run / f"{model}.env"
    if wish is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(f"CLAUDINE_CONTEXT={wish}\n")


def point_to(shelf: Shelf, model: str) -> None:
    """Have the client's next connection go to *model*: the link changes at once, and is never away."""
    beside = shelf.link.with_name("llama.sock.new")
    beside.unlink(missing_ok=True)
    beside.symlink_to(Path(model) / "llama.sock")
    beside.replace(shelf.link)


def too_large(shelf: Shelf, needs: Needs) -> str:
    """Say in one sentence how much memory is missing."""
    needed, there = needs.memory_bytes(0) // _MIB, max(0, available_bytes(shelf)) // _MIB
    return f"It needs more than {needed} MiB of memory; I have {there} MiB for models."


def _usable(shelf: Shelf, model: str) -> Record:
    if not shelf.has(model):
        raise UseError(f"There is no model {model}.")
    if not shelf.place(model).exists():
        raise UseError(REASONS["missing"])
    try:
        return read_model(shelf, model)
    except ImageError as error:
        raise UseError(REASONS["changed" if error.problem == "unreadable" else error.problem]) from error


def _both_fit(shelf: Shelf, new_bytes: int) -> bool:
    old = shelf.in_use()
    try:
        needs = look_into(shelf, old, shelf.place(old)).needs
    except ImageError:
        return False
    tokens = shelf.choose_context(needs, shelf.chosen_context(old))
    return needs.memory_bytes(tokens) + new_bytes <= available_bytes(shelf)


def _start(shelf: Shelf, model: str, tell: Tell) -> None:
    unit = unit_name(model)
    tell("starting", None)
    # Its restarts are counted from here; it may not be known at all yet.
    with suppress(CommandError):
        shelf.host.run(["systemctl", "reset-failed", unit])
    try:
        shelf.host.run(["systemctl", "start", unit])
    except CommandError as error:
        raise _failure(shelf, model) from error
    while not server.is_ready(shelf.socket(model)):
        state = show(shelf, model)
        if state.get("SubState") != "running" or state.get("NRestarts", "0") != "0":
            raise _failure(shelf, model)
        tell("loading", _read_percent(shelf, model, process(state)))
        time.sleep(shelf.poll_s)
    tell("answering", None)
    if not server.answers(shelf.socket(model)):
        raise _failure(shelf, model)


def _stop(shelf: Shelf, model: str) -> None:
    unit = unit_name(model)
    for verb in ("stop", "reset-failed"):
        with suppress(CommandError):
            shelf.host.run(["systemctl", verb, unit])


def _failure(shelf: Shelf, model: str) -> UseError:
    result = why_it_failed(shelf, model, show(shelf, model)) or "crashed"
    return UseError(REASONS[result])


def _read_percent(shelf: Shelf, model: str, number: int) -> int | None:
    """Return how much of the weights the server has read, as the kernel has counted it (proc_pid_io(5))."""
    try:
        weights_bytes = look_into(shelf, model, shelf.place(model)).needs.weights_bytes
        lines = (shelf.host.root / f"proc/{number}/io").read_text().splitlines()
        read_bytes = next(int(line.split()[1]) for line in lines if line.startswith("rchar:"))
    except (OSError, ValueError, StopIteration, ImageError):
        return None
    return min(100, 100 * read_bytes // max(1, weights_bytes))
