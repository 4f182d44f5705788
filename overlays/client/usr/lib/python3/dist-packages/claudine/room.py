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

# Of the context that is left after making room, a quarter is for the answer.
_KEEP = 0.75
# A summary may take an eighth of the context, and two hundred words will do.
_SUMMARY_SHARE, _SUMMARY_TOKENS = 8, 256
# What the request for a summary adds to the transcript, template included.
_FRAME_TOKENS = 96


@dataclass(frozen=True)
class Room:
    """How to make room for a conversation that was *n_prompt* tokens long where *n_ctx* fit."""

    how: Literal["summarise", "drop"]
    n_prompt: int
    n_ctx: int


def drop(record: Record, n_prompt: int, n_ctx: int) -> bool:
    """Leave out the oldest exchanges; say whether there were any."""
    settings = record.settings
    cut = prompt.cut_after(record.path, settings, _KEEP * n_ctx / max(1, n_prompt))
    if cut is not None:
        record.set_settings(replace(settings, cut=cut))
    return cut is not None


def summarise(runtime: "Runtime", record: Record, room: Room, stop: Stop) -> Generator[Waiting, None, None]:
    """Leave out the oldest exchanges, and keep a summary of them."""
    n_summary = min(_SUMMARY_TOKENS, room.n_ctx // _SUMMARY_SHARE)
    settings, path = record.settings, record.path
    cut = prompt.cut_after(path, settings, (_KEEP * room.n_ctx - n_summary) / max(1, room.n_prompt))
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
