"""The runtime's API: a llama-server behind a unix socket.

    runtime = Runtime("/run/claudine-runtime/llama.sock")
    for state, elapsed_s in runtime.until_ready(Stop()): ...
    with closing(runtime.stream_chat(conversation.messages)) as events:
        for event in events: ...

Leaving the ``with`` closes the connection, and that cancels the answer in the server. Importing this module loads
httpx, which takes a while on a slow machine: greet first.
"""

import socket
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx

from claudine import voice
from claudine.conversation import Message
from claudine.defaults import MAX_TOKENS, REPEAT_PENALTY, TEMPERATURE
from claudine.protocol import BrokenAnswerError, Event, UnavailableError, events, refusal_from_body
from claudine.stop import Stop
from claudine.text import printable

_CONNECT_S = 5.0
_SHORT = httpx.Timeout(15.0, connect=_CONNECT_S)
# Reading a long prompt may take minutes without a byte. A server that dies closes the socket, and that is noticed.
_PATIENT = httpx.Timeout(None, connect=_CONNECT_S)
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 0.5
# Of a server with several, the one whose content we know how to overwrite.
_PRIVATE_SLOT = 0


class Kind(StrEnum):
    """Where the runtime stands."""

    ABSENT = "absent"
    LOADING = "loading"
    READY = "ready"
    ERROR = "error"


@dataclass(frozen=True)
class State:
    """*detail* says in a few words why; empty when ready. ERROR is what waiting does not mend."""

    kind: Kind
    detail: str = ""


@dataclass(frozen=True)
class Engine:
    """What the server says of itself: its own build, the file of weights, the model's name, and what it can hold."""

    model_path: str
    build: str
    model: str
    n_ctx: int


class Runtime:
    """One llama-server. Every request has a connection of its own, so that closing it means only that request."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._http = httpx.Client(
            base_url="http://runtime",
            transport=httpx.HTTPTransport(
                uds=path, verify=False, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
            ),
            trust_env=False,
        )

    def state(self, stop: Stop | None = None) -> State:
        """Ask once, and never raise for an answer that can be told."""
        if (unreachable := self._probe()) is not None:
            return unreachable
        try:
            response = self._http.get("/health", timeout=_SHORT, extensions=_extensions(stop))
        except httpx.TimeoutException:
            return State(Kind.LOADING, voice.TOO_BUSY)
        except httpx.RemoteProtocolError as error:
            if "disconnected" not in str(error):
                return State(Kind.ERROR, voice.NO_HTTP.format(path=self.path))
            return State(Kind.ABSENT, voice.WENT_AWAY)
        except httpx.NetworkError:
            return State(Kind.ABSENT, voice.WENT_AWAY)
        match response.status_code:
            case 200:
                return State(Kind.READY)
            case 503:
                return State(Kind.LOADING, voice.NOT_IN_MEMORY)
            case status:
                return State(Kind.ERROR, voice.STRANGE_STATUS.format(status=status))

    def until_ready(self, stop: Stop) -> Iterator[tuple[State, float]]:
        """Wait until the model can answer, and yield each look in between, with the seconds that it took so far.

        Raises UnavailableError when waiting cannot help, and when *stop* is pressed.
        """
        started_s = time.monotonic()
        while (state := self.state(stop)).kind is not Kind.READY or stop.pressed:
            if state.kind is Kind.ERROR or stop.pressed:
                raise UnavailableError(voice.UNUSABLE.format(reason=state.detail))
            elapsed_s = time.monotonic() - started_s
            yield state, elapsed_s
            # What is started already is ready soon or takes its time.
            stop.sleep(min(max(_SHORTEST_PAUSE_S, elapsed_s / 4), _LONGEST_PAUSE_S))

    def model(self) -> str | None:
        """Return the name of the model, without the folder it lies in; None when the runtime does not say."""
        if self._probe() is not None:
            return None
        try:
            answer = self._http.get("/v1/models", timeout=_SHORT).json()
        except (httpx.HTTPError, ValueError, RecursionError):
            return None
        match answer:
            case {"data": [{"id": str(name)}, *_]}:
                return printable(name).rpartition("/")[2] or None
        return None

    def engine(self, stop: Stop | None = None) -> Engine | None:
        """Return what the server is and runs; None when it does not say, which it does only with a model in memory."""
        if self._probe() is not None:
            return None
        try:
            answer = self._http.get("/props", timeout=_SHORT, extensions=_extensions(stop)).json()
        except (httpx.HTTPError, ValueError, RecursionError):
            return None
        match answer:
            case {
                "model_path": str(path),
                "build_info": str(build),
                "default_generation_settings": {"n_ctx": int(n_ctx)},
            } if n_ctx > 0:
                # Without a name of its own, a model is called by its path.
                name = str(answer.get("model_alias") or path)
                return Engine(printable(path), printable(build), printable(name).rpartition("/")[2], n_ctx)
        return None

    def count(self, text: str, stop: Stop | None = None) -> int:
        """Return how many tokens *text* has. Raises a ``RuntimeFailedError``."""
        answer = self._post("/tokenize", {"content": text}, _PATIENT, stop)
        match answer:
            case {"tokens": [*tokens]}:
                return len(tokens)
        raise BrokenAnswerError(voice.RUNTIME_UNREADABLE)

    def overwrite_slot(self) -> None:
        """Have the server read a line break in place of what it read and said last. Raises a ``RuntimeFailedError``.

        A request without ``cache_prompt`` leaves its tokens there all the same (tried with build b11669: the next one
        found them), and the server erases a slot only where it may also save slots to files, which ours may not.
        """
        request = {"prompt": "\n", "n_predict": 0, "cache_prompt": False, "id_slot": _PRIVATE_SLOT}
        self._post("/completion", request, _SHORT)

    def stream_chat(
        self,
        messages: Iterable[Message],
        *,
        max_tokens: int = MAX_TOKENS,
        temperature: float = TEMPERATURE,
        seed: int | None = None,
        private: bool = False,
        stop: Stop | None = None,
    ) -> Generator[Event, None, None]:
        """Ask for the next message, and yield events as they arrive; the last one is ``Done``.

        If the last message is the assistant's, it is continued, and only what is new comes. Of a *private* request,
        nothing from before is used, and ``overwrite_slot()`` afterwards leaves nothing of it. Raises a
        ``RuntimeFailedError``. Close the generator to stop the answer, or press *stop* from elsewhere.
        """
        request: dict[str, Any] = {
            "messages": [{"role": message.role, "content": message.text} for message in messages],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "repeat_penalty": REPEAT_PENALTY,
            "stream": True,
            # Chunks that say how far the prompt is read, and counts of tokens that hold when an answer is stopped.
            "return_progress": True,
            "timings_per_token": True,
            # What was read for the last message need not be read again for this one.
            "cache_prompt": not private,
        }
        if seed is not None:
            request["seed"] = seed
        if private:
            request["id_slot"] = _PRIVATE_SLOT
        self._check()
        try:
            with self._http.stream(
                "POST", "/v1/chat/completions", json=request, timeout=_PATIENT, extensions=_extensions(stop)
            ) as response:
                if response.status_code != 200:
                    raise refusal_from_body(response.status_code, response.read())
                yield from events(response.iter_bytes())
        except httpx.HTTPError as error:
            raise BrokenAnswerError(voice.RUNTIME_BROKE_OFF) from error

    def _post(self, path: str, request: dict[str, Any], timeout: httpx.Timeout, stop: Stop | None = None) -> Any:
        self._check()
        try:
            response = self._http.post(path, json=request, timeout=timeout, extensions=_extensions(stop))
            if response.status_code != 200:
                raise refusal_from_body(response.status_code, response.content)
            return response.json()
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise BrokenAnswerError(voice.RUNTIME_UNREADABLE) from error

    def _check(self) -> None:
        if (unreachable := self._probe()) is not None:
            raise UnavailableError(voice.UNREACHABLE.format(reason=unreachable.detail))

    def _probe(self) -> State | None:
        """Connect and hang up; say what is in the way, or None.

        httpx would tell too, but not which error it was, and it forgets to close the socket (httpcore 1.0.9).
        """
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_CONNECT_S)
                connection.connect(self.path)
        except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError):
            return State(Kind.ABSENT, voice.NOBODY_ANSWERS.format(path=self.path))
        except (TimeoutError, BlockingIOError):
            return State(Kind.LOADING, voice.TOO_BUSY)
        except OSError as error:
            return State(Kind.ERROR, voice.CANNOT_OPEN.format(path=self.path, reason=error.strerror or error))
        return None


def _extensions(stop: Stop | None) -> dict[str, Any]:
    return {"trace": stop.watch} if stop else {}
