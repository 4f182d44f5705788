"""How the runtime is; in JSON, how the machine is as well."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from claudine import facts, health
from claudine.models import ModelsService
from claudine.plain.interrupts import Interrupts
from claudine.plain.terminal import Terminal
from claudine.runtime import Kind, Runtime
from claudine.scripts import NOT_READY
from claudine.state import StateError, StateService
from claudine.voice import models as voice


def run(options: argparse.Namespace, terminal: Terminal, interrupts: Interrupts) -> int:
    """Say it in one line; the exit code is 0 when the runtime is ready."""
    with interrupts.armed():
        runtime = Runtime(options.socket)
        state = runtime.state()
        model = runtime.model() if state.kind is Kind.READY else None
        fate = ModelsService.beside(options.state_socket).fate_if_known()
        machine = _machine(options) if options.json else {}
    trouble = voice.trouble(fate.result, fate.model) if fate else ""
    if options.json:
        report = {"state": state.kind, "detail": state.detail, "model": model, "socket": options.socket}
        found = {**asdict(fate), "fell_back": fate.fell_back} if fate else None
        terminal.say(json.dumps(report | {"runtime": found} | machine))
    else:
        runs_on = voice.runs_on(fate.backend, fate.device) if fate else ""
        terminal.say(": ".join(filter(None, [state.kind, trouble or state.detail or model, runs_on])))
    if fate and fate.fell_back:
        terminal.complain(voice.FELL_BACK)
    return 0 if state.kind is Kind.READY else NOT_READY


def _machine(options: argparse.Namespace) -> dict[str, Any]:
    """Look at the machine; null is what cannot be seen, as the disk on a desk."""
    found, seen = health.look(), facts.look(options.socket)
    hottest = found.hottest
    return {
        "disk": _disk(StateService(options.state_socket)),
        "memory": {"size_bytes": found.memory_bytes, "free_bytes": found.memory_free_bytes},
        "temperature": {"celsius": hottest.celsius, "sensor": hottest.name} if hottest else None,
        "facts": {**asdict(seen), "sealed": seen.sealed, "sent_bytes": seen.sent_bytes, "line": seen.line},
    }


def _disk(service: StateService) -> dict[str, int] | None:
    try:
        status = service.status()
    except StateError:
        return None
    return {"size_bytes": status.size_bytes, "free_bytes": status.free_bytes}
