"""What the runtime says while it answers: bytes of a llama-server stream in, events out.

Source: llama.cpp ``tools/server/README.md``, "POST /v1/chat/completions". The stream is server-sent events; each
``data:`` line holds one JSON chunk, ``[DONE]`` ends it. Lines are cut at ``\\n`` only: JSON may hold U+2028 or U+0085
as they are, and a splitter that takes those for line ends (httpx's does) tears chunks apart.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from claudine import voice
from claudine.text import one_line, printable

MAX_LINE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Progress:
    """How much of the prompt has been read, in tokens. *cached* of them were known from before."""

    processed: int
    total: int
    cached: int

    @property
    def percent(self) -> int:
        """From 0 to 100."""
        return min(100, 100 * self.processed // self.total) if self.total > 0 else 0


@dataclass(frozen=True)
class Text:
    """The next piece of the answer, already printable. *tokens* counts the answer up to here, if the server says."""

    text: str
    tokens: int | None = None


@dataclass(frozen=True)
class Done:
    """The answer is complete, or *cut_short* by a limit. Counts are the server's own; None where it gave none."""

    prompt_tokens: int | None
    tokens: int | None
    cut_short: bool


Event = Progress | Text | Done


class RuntimeFailedError(Exception):
    """The runtime did not do what was asked. ``str()`` is one sentence in Claudine's voice."""


class UnavailableError(RuntimeFailedError):
    """Nobody answers at the socket, or somebody who cannot be the runtime."""


class OutOfMemoryError(UnavailableError):
    """The model needed more memory than there is, and does not come back by itself."""


class LoadingError(RuntimeFailedError):
    """The runtime is up, its model is not."""


class RefusedError(RuntimeFailedError):
    """The runtime answered with an error of its own."""


class BrokenAnswerError(RuntimeFailedError):
    """The answer ended before its end, or cannot be read any further."""


class ContextFullError(RuntimeFailedError):
    """The prompt has more tokens than the model can hold."""

    def __init__(self, n_prompt: int, n_ctx: int) -> None:
        super().__init__(voice.FULL.format(n_prompt=n_prompt, n_ctx=n_ctx))
        self.n_prompt = n_prompt
        self.n_ctx = n_ctx


def events(received: Iterable[bytes]) -> Iterator[Event]:
    """Turn the body of a streamed answer into events, ending with ``Done`` or a ``RuntimeFailedError``."""
    finish: str | None = None
    prompt_tokens: int | None = None
    tokens: int | None = None
    for data in _data_lines(received):
        if data == b"[DONE]":
            break
        chunk = _chunk(data)
        if "error" in chunk:
            raise refusal(500, chunk["error"])
        match chunk.get("timings"):
            case {"predicted_n": int(n), "prompt_n": int(n_read), "cache_n": int(n_cached)}:
                tokens, prompt_tokens = n, n_read + n_cached
            case {"predicted_n": int(n)}:
                tokens = n
        match chunk.get("prompt_progress"):
            case {"total": int(total), "processed": int(processed), "cache": int(cached)}:
                yield Progress(processed, total, cached)
        match chunk.get("choices"):
            case [{"delta": {"content": str(content)}}, *_] if content:
                yield Text(printable(content), tokens)
        match chunk.get("choices"):
            case [{"finish_reason": str(reason)}, *_]:
                finish = reason
    if finish is None:
        raise BrokenAnswerError(voice.RUNTIME_BROKE_OFF)
    yield Done(prompt_tokens, tokens, cut_short=finish == "length")


def refusal(status: int, error: object) -> RuntimeFailedError:
    """Turn the ``error`` object of a response with HTTP *status* into the exception to raise."""
    match error:
        case {"type": "exceed_context_size_error", "n_prompt_tokens": int(n_prompt), "n_ctx": int(n_ctx)}:
            return ContextFullError(n_prompt, n_ctx)
        case {"code": 503} | {"type": "unavailable_error"}:
            return LoadingError(voice.STILL_LOADING)
        case {"message": str(message)}:
            return RefusedError(voice.REFUSED.format(reason=one_line(message)[:300] or voice.NO_REASON))
    return RefusedError(voice.REFUSED_SILENTLY.format(status=status))


def refusal_from_body(status: int, body: bytes) -> RuntimeFailedError:
    """Turn a whole response that is not 200 into the exception to raise."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    return refusal(status, answer.get("error") if isinstance(answer, dict) else None)


def _data_lines(received: Iterable[bytes]) -> Iterator[bytes]:
    for line in _lines(received):
        field, _, value = line.rstrip(b"\r").partition(b":")
        # A line without a field name is a comment: the server's sign of life while it is busy.
        if field == b"data":
            yield value.strip()
        elif field == b"error":
            yield b'{"error":%s}' % value


def _lines(received: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in received:
        *complete, rest = (rest + piece).split(b"\n")
        yield from complete
        if len(rest) > MAX_LINE_BYTES:
            raise BrokenAnswerError(voice.RUNTIME_UNREADABLE)


def _chunk(data: bytes) -> dict[str, Any]:
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        chunk = None
    if not isinstance(chunk, dict):
        raise BrokenAnswerError(voice.RUNTIME_UNREADABLE)
    return chunk
