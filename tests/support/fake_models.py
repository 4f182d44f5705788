"""The service that looks after models, as a test wants it: a unix socket, a line of JSON in, and some out.

    with FakeModels(tmp_path / "claudine-models/control.sock") as service:
        service.answers["runtime"] = [{"done": True, …}]

What is asked is kept in *requests*. The last line of a request that is answered with no end hangs up.
"""

import json
import socketserver
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.service import UnixService

Answers = dict[str, Iterable[dict[str, Any]]]

OWN: dict[str, Any] = {
    "id": "tiny_1",
    "name": "tiny",
    "version": "1",
    "title": "Tiny Model",
    "licence": "Apache-2.0",
    "weights_bytes": 98_000_000,
    "place": "image",
    "memory_bytes": 200_000_000,
    "context_tokens": 2048,
    "fits": True,
    "in_use": True,
    "problem": None,
}
RUNTIME: dict[str, Any] = {
    "done": True,
    "unit": "claudine-runtime@tiny_1.service",
    "model": "tiny_1",
    "result": "running",
    "backend": "CPU",
    "device": "Some Processor",
    "wanted": "cpu",
    "context_tokens": 2048,
    "threads": 2,
}


def shelf(*models: dict[str, Any]) -> dict[str, Any]:
    """Return the list of *models*, each given as what differs from the image's own."""
    rows = [OWN | model for model in models or ({},)]
    return {"done": True, "models": rows, "free_bytes": 5 * 10**9, "memory_bytes": 10**9}


def usual_answers() -> Answers:
    """Return the lines that each request is answered with where all is well."""
    return {"models": [shelf()], "runtime": [RUNTIME]}


class FakeModels(UnixService):
    """Listens at *socket*, in a folder of its own, while the ``with`` lasts."""

    def __init__(self, socket: Path, answers: Answers | None = None) -> None:
        socket.parent.mkdir(parents=True, exist_ok=True)
        self.answers = usual_answers() if answers is None else answers
        # In place of any answer.
        self.raw = b""
        self.requests: list[dict[str, Any]] = []
        super().__init__(socket, _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: FakeModels

    def handle(self) -> None:
        request = json.loads(self.rfile.readline())
        self.server.requests.append(request)
        if self.server.raw:
            self.wfile.write(self.server.raw)
            return
        # Whoever stops what they have asked for hangs up.
        with suppress(BrokenPipeError):
            for line in self.server.answers.get(request["request"], [{"error": "I know no such request."}]):
                self.wfile.write(json.dumps(line).encode() + b"\n")
