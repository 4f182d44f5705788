"""A llama-server that says what a test wants: real HTTP over a unix socket, no model.

    with FakeRuntime(tmp_path / "s", [Answer(["Hel", "lo"])]) as runtime: ...

Each chat request takes the next behaviour of the script; when the script is at its end, the last one is repeated.
"""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.service import UnixService

MODEL = "/run/model/tiny.gguf"
BUILD = "b11669-Debian"
N_CTX = 512
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Answer:
    """Stream *pieces*; then end as *ending* says: stop, length, close (mid-answer), malformed, error, or hang.

    The last piece comes when *go* is set, if there is one.
    """

    pieces: Sequence[str] = ("Paris.",)
    ending: str = "stop"
    progress: Sequence[tuple[int, int]] = ()
    hold_s: float = 0.0
    go: threading.Event | None = None


@dataclass(frozen=True)
class Refuse:
    """Answer with an error status and *body*."""

    status: int
    body: bytes


def overflow(n_prompt: int, n_ctx: int) -> Refuse:
    """The answer to a prompt that is too long, as llama-server words it."""
    error = {
        "code": 400,
        "message": f"request ({n_prompt} tokens) exceeds the available context size ({n_ctx} tokens)",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": n_prompt,
        "n_ctx": n_ctx,
    }
    return Refuse(400, json.dumps({"error": error}).encode())


class FakeRuntime(UnixService):
    """Listens at *socket* while the ``with`` lasts; says that it is loading the first *loads* times it is asked."""

    def __init__(
        self, socket: Path, script: Sequence[Answer | Refuse] = (Answer(),), *, loads: int = 0, n_ctx: int = N_CTX
    ) -> None:
        self._script = list(script)
        self.loads_left = loads
        props = {"model_path": MODEL, "build_info": BUILD, "default_generation_settings": {"n_ctx": n_ctx}}
        self.props = json.dumps(props).encode()
        self.models = json.dumps({"data": [{"id": MODEL}]}).encode()
        self.requests: list[dict[str, Any]] = []
        self.overwritten: list[dict[str, Any]] = []
        self.asked = threading.Event()
        self.client_left = threading.Event()
        self.closing = threading.Event()
        super().__init__(socket, _Handler)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        super().__exit__(kind, error, trace)

    def then(self, *script: Answer | Refuse) -> None:
        """Do as *script* says from now on."""
        self._script = list(script)

    def next_behaviour(self, request: dict[str, Any]) -> Answer | Refuse:
        """Note *request* and say what to do with it."""
        self.requests.append(request)
        self.asked.set()
        return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    def texts(self, number: int) -> list[str]:
        """The texts of the messages in chat request *number*, without the system's."""
        return [message["content"] for message in self.requests[number]["messages"] if message["role"] != "system"]


class _Handler(BaseHTTPRequestHandler):
    server: FakeRuntime

    def do_GET(self) -> None:
        if self.path == "/health" and self.server.loads_left > 0:
            self.server.loads_left -= 1
            error = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
            self._respond(503, json.dumps({"error": error}).encode())
        elif self.path == "/health":
            self._respond(200, b'{"status":"ok"}')
        elif self.path == "/props":
            self._respond(200, self.server.props)
        elif self.path == "/v1/models":
            self._respond(200, self.server.models)
        else:
            self._respond(404, b"{}")

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        match self.path:
            case "/tokenize":
                # A word is a token.
                self._respond(200, json.dumps({"tokens": list(range(len(request["content"].split())))}).encode())
            case "/completion":
                self.server.overwritten.append(request)
                self._respond(200, b"{}")
            case _:
                self._chat(request)

    def _chat(self, request: dict[str, Any]) -> None:
        match self.server.next_behaviour(request):
            case Refuse(status, body):
                self._respond(status, body)
            case Answer() as answer:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                try:
                    self._stream(answer)
                except OSError:
                    self.server.client_left.set()

    def _stream(self, answer: Answer) -> None:
        for processed, total in answer.progress:
            self._chunk({}, prompt_progress={"total": total, "processed": processed, "cache": 0, "time_ms": 1})
        time.sleep(answer.hold_s)
        for number, piece in enumerate(answer.pieces, start=1):
            if answer.go and number == len(answer.pieces):
                answer.go.wait(_PATIENCE_S)
            timings = {"prompt_n": 5, "cache_n": 2, "predicted_n": number}
            self._chunk({"delta": {"content": piece}, "finish_reason": None}, timings=timings)
        match answer.ending:
            case "close":
                return
            case "malformed":
                self._send(b'data: {"choices": [{"del\n\n')
            case "error":
                self._chunk({}, error={"code": 500, "message": "out of \x1b[31mmemory", "type": "server_error"})
            case "hang":
                self._wait_for_the_client_to_leave()
            case finish:
                self._chunk({"delta": {}, "finish_reason": finish})
                self._send(b"data: [DONE]\n\n")

    def _wait_for_the_client_to_leave(self) -> None:
        while not self.server.closing.wait(0.02):
            self._send(b": still busy\n\n")

    def _chunk(self, choice: dict[str, Any], **more: Any) -> None:
        # As nlohmann's JSON does it: what is not ASCII stays as it is, U+2028 included.
        self._send(f"data: {json.dumps({'choices': [choice], **more}, ensure_ascii=False)}\n\n".encode())

    def _send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def _respond(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "a client on a unix socket"

    def log_message(self, *_: object) -> None:
        pass
