"""Making room for a conversation that does not fit any more. Nothing is deleted: it is only not sent any more."""

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from claudine import prompt, voice
from claudine.answer import Waiting
from claudine.protocol import BrokenAnswerError, ContextFullError, Text
from claudine.record import Record
from claudine.stop import Stop

if TYPE_CHECKING:
    from claudine.runtime import Runtime

# Of the context, a quarter is for the answer.
_FILLED = 0.75
# A summary may take an eighth of the context, and two hundred words will do. What is left is shorter by as much.
_SUMMARY_SHARE, _SUMMARY_TOKENS = 1 / 8, 256
_BESIDE_SUMMARY = 1 - _SUMMARY_SHARE / _FILLED
# What the request for a summary adds to the transcript, template included.
_FRAME_TOKENS = 96


@dataclass(frozen=True)
class Room:
    """How to make room: about the share *keep* (0 to 1) of what is sent is left, where *n_ctx* tokens fit."""

    how: Literal["summarise", "drop"]
    keep: float
    n_ctx: int


def needed(n_prompt: int, n_ctx: int) -> float:
    """Return the share of a prompt that can stay."""
    return _FILLED * n_ctx / max(1, n_prompt)


def drop(record: Record, keep: float) -> bool:
    """Leave out the oldest exchanges, so that the share *keep* is left; say whether there were any."""
    settings = record.settings
    cut = prompt.cut_after(record.path, settings, keep)
    if cut is not None:
        record.set_settings(replace(settings, cut=cut))
    return cut is not None


def summarise(runtime: "Runtime", record: Record, room: Room, stop: Stop) -> Generator[Waiting, None, None]:
    """Leave out the oldest exchanges, and keep a summary of them."""
    n_summary = min(_SUMMARY_TOKENS, int(room.n_ctx * _SUMMARY_SHARE))
    settings, path = record.settings, record.path
    cut = prompt.cut_after(path, settings, room.keep * _BESIDE_SUMMARY)
    if cut is None:
        return
    yield Waiting("summary", "", 0.0)
    transcript = _end_of(
        prompt.left_out(path, settings, cut), room.n_ctx - n_summary - _FRAME_TOKENS, runtime=runtime, stop=stop
    )
    started_s = time.monotonic()
    said: list[str] = []
    messages = prompt.summary_prompt(transcript)
    try:
        with closing(runtime.stream_chat(messages, max_tokens=n_summary, private=record.private, stop=stop)) as events:
            for event in events:
                if isinstance(event, Text):
                    said.append(event.text)
                if stop.pressed:
                    raise BrokenAnswerError(voice.STOPPED)
                yield Waiting("summary", "", time.monotonic() - started_s)
    except ContextFullError:
        # Then without one.
        said = []
    record.set_settings(replace(settings, cut=cut, summary="".join(said).strip()))


def _end_of(text: str, n_tokens: int, *, runtime: "Runtime", stop: Stop) -> str:
    """Return as much of the end of *text* as fits into *n_tokens*."""
    while text and (n_text := runtime.count(text, stop)) > n_tokens:
        # A little less than its share, so that a second try is enough.
        length = int(0.95 * len(text) * max(0, n_tokens) / n_text)
        text = text[len(text) - length :]
    return text
