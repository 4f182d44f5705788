"""Asking the models service, as the client does, and what its answers say."""

import json
import os
from typing import Any

from claudine_runtime.serve import serve
from tests.runtime.simulated_models import SimulatedModels

Lines = list[dict[str, Any]]


def ask(models: SimulatedModels, request: str | bytes, **more: object) -> Lines:
    """Send one request, and return all lines of the answer."""
    line = request if isinstance(request, bytes) else json.dumps({"request": request, **more}).encode() + b"\n"
    asking, source = os.pipe(), os.pipe()
    os.write(source[1], line)
    os.close(source[1])
    os.set_blocking(asking[0], False)
    serve(models.shelf, source[0], asking[1])
    os.close(asking[1])
    with os.fdopen(asking[0]) as answer:
        lines = [json.loads(one) for one in answer]
    os.close(source[0])
    return lines


def ask_and_hang_up(models: SimulatedModels, request: str, **more: object) -> None:
    asking, source = os.pipe(), os.pipe()
    os.write(source[1], json.dumps({"request": request, **more}).encode() + b"\n")
    os.close(asking[0])
    serve(models.shelf, source[0], asking[1])
    for descriptor in (asking[1], *source):
        os.close(descriptor)


def steps(lines: Lines) -> list[str]:
    return list(dict.fromkeys(line["step"] for line in lines if "step" in line))


def use(models: SimulatedModels, model: str, context_tokens: int | None = None) -> Lines:
    return ask(models, "use-model", model=model, context_tokens=context_tokens)
