"""The runtime's API: a llama-server behind a unix socket.

    runtime = Runtime("/run/claudine-runtime/llama.sock")
    runtime.wait_ready(lambda state, elapsed_s: None, timeout_s=600)
    with closing(runtime.stream_chat(conversation.messages)) as events:
        for event in events: ...

Leaving the ``with`` closes the connection, and that cancels the answer in the server. Importing this module loads
httpx, which takes a while on a slow machine: greet first.
"""

import socket
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from enum import StrEnum

import httpx

from claudine.conversation import Message
from claudine.defaults import MAX_TOKENS, REPEAT_PENALTY, TEMPERATURE
from claudine.protocol import BrokenAnswerError, Event, UnavailableError, events, refusal_from_body
from claudine.text import printable

_CONNECT_S = 5.0
_SHORT = httpx.Timeout(15.0, connect=_CONNECT_S)
# Reading a long prompt may take minutes without a byte. A server that dies closes the socket, and that is noticed.
_PATIENT = httpx.Timeout(None, connect=_CONNECT_S)


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
    """What the server says of itself: the file of weights that it has loaded, and its own build."""

    model_path: str
    build: str


class Runtime:
    """One llama-server. Every request has a connection of its own, so that closing it means only that request."""

    def __init__(self, path: str, *, poll_s: float = 0.5) -> None:
        self.path = path
        self._poll_s = poll_s
        self._http = httpx.Client(
            base_url="http://runtime",
            transport=httpx.HTTPTransport(
                uds=path, verify=False, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
            ),
            trust_env=False,
        )

    def state(self) -> State:
        """Ask once, and never raise for an answer that can be told."""
        if (unreachable := self._probe()) is not None:
            return unreachable
        try:
            response = self._http.get("/health", timeout=_SHORT)
        except httpx.TimeoutException:
            return State(Kind.LOADING, "it is too busy to say how it is")
        except httpx.RemoteProtocolError as error:
            if "disconnected" not in str(error):
                return State(Kind.ERROR, f"what answers at {self.path} does not speak HTTP")
            return State(Kind.ABSENT, "it went away while I asked")
        except httpx.NetworkError:
            return State(Kind.ABSENT, "it went away while I asked")
        match response.status_code:
            case 200:
                return State(Kind.READY)
            case 503:
                return State(Kind.LOADING, "the model is not in memory yet")
            case status:
                return State(Kind.ERROR, f"/health answers with HTTP status {status}")

    def wait_ready(self, on_wait: Callable[[State, float], None], *, timeout_s: float | None = None) -> float:
        """Wait until the model can answer and return the seconds it took; *on_wait* hears of every look in between.

        Raises UnavailableError when the time is over, and at once when waiting cannot help.
        """
        started = time.monotonic()
        while (state := self.state()).kind is not Kind.READY:
            elapsed_s = time.monotonic() - started
            if state.kind is Kind.ERROR:
                raise UnavailableError(f"I cannot use my runtime: {state.detail}.")
            if timeout_s is not None and elapsed_s >= timeout_s:
                raise UnavailableError(f"My runtime is not ready after {elapsed_s:.0f} s: {state.detail}.")
            on_wait(state, elapsed_s)
            time.sleep(self._poll_s)
        return time.monotonic() - started

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

    def engine(self) -> Engine | None:
        """Return what the server is and runs; None when it does not say, which it does only with a model in memory."""
        if self._probe() is not None:
            return None
        try:
            answer = self._http.get("/props", timeout=_SHORT).json()
        except (httpx.HTTPError, ValueError, RecursionError):
            return None
        match answer:
            case {"model_path": str(path), "build_info": str(build)}:
                return Engine(printable(path), printable(build))
        return None

    def stream_chat(
        self, messages: Iterable[Message], *, max_tokens: int = MAX_TOKENS, temperature: float = TEMPERATURE
    ) -> Generator[Event, None, None]:
        """Ask for the next message, and yield events as they arrive; the last one is ``Done``.

        Raises a ``RuntimeFailedError``. Close the generator to stop the answer.
        """
        request = {
            "messages": [{"role": message.role, "content": message.text} for message in messages],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "repeat_penalty": REPEAT_PENALTY,
            "stream": True,
            # Chunks that say how far the prompt is read, and counts of tokens that hold when an answer is stopped.
            "return_progress": True,
            "timings_per_token": True,
            # What was read for the last message need not be read again for this one.
            "cache_prompt": True,
        }
        if (unreachable := self._probe()) is not None:
            raise UnavailableError(f"I cannot reach my runtime: {unreachable.detail}.")
        try:
            with self._http.stream("POST", "/v1/chat/completions", json=request, timeout=_PATIENT) as response:
                if response.status_code != 200:
                    raise refusal_from_body(response.status_code, response.read())
                yield from events(response.iter_bytes())
        except httpx.HTTPError as error:
            raise BrokenAnswerError("My runtime broke off in the middle of this answer.") from error

    def _probe(self) -> State | None:
        """Connect and hang up; say what is in the way, or None.

        httpx would tell too, but not which error it was, and it forgets to close the socket (httpcore 1.0.9).
        """
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_CONNECT_S)
                connection.connect(self.path)
        except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError):
            return State(Kind.ABSENT, f"nobody answers at {self.path}")
        except (TimeoutError, BlockingIOError):
            return State(Kind.LOADING, "it is too busy to say how it is")
        except OSError as error:
            return State(Kind.ERROR, f"I cannot open {self.path}: {error.strerror or error}")
        return None
