"""The bytes of an answer become events; whatever is wrong with them becomes one kind of error."""

import json
from collections.abc import Iterator

import pytest

from claudine.protocol import (
    BrokenAnswerError,
    ContextFullError,
    Done,
    Event,
    LoadingError,
    Progress,
    RefusedError,
    RuntimeFailedError,
    Text,
    events,
    refusal_from_body,
)
from claudine.text import printable

END = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def say(text: str) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]}, ensure_ascii=False)}\n\n".encode()


def bytewise(data: bytes) -> Iterator[bytes]:
    return (data[i : i + 1] for i in range(len(data)))


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (say("Pa") + say("ris") + END, [Text("Pa"), Text("ris"), Done(None, None, False)]),
        (b": ping\r\n\r\n" + say("ok").replace(b"\n", b"\r\n") + END, [Text("ok"), Done(None, None, False)]),
        (say("a\u2028b\u00a0c d") + END, [Text("a\u2028b\u00a0c d"), Done(None, None, False)]),
        (say("Grüße, 你好 🙂") + END, [Text("Grüße, 你好 🙂"), Done(None, None, False)]),
        (b'data: {"choices":[{"delta":{"role":"assistant","content":null}}]}\n\n' + END, [Done(None, None, False)]),
        (b'data: {"choices":[]}\n\n' + END, [Done(None, None, False)]),
        (
            b'data: {"prompt_progress":{"total":8,"cache":2,"processed":4,"time_ms":9}}\n\n' + END,
            [Progress(processed=4, total=8, cached=2), Done(None, None, False)],
        ),
        (
            b'data: {"choices":[{"delta":{"content":"x"}}],"timings":{"prompt_n":5,"cache_n":2,"predicted_n":1}}\n\n'
            b'data: {"choices":[{"delta":{},"finish_reason":"length"}]}\n\n',
            [Text("x", 1), Done(7, 1, True)],
        ),
    ],
)
def test_a_stream_becomes_events_however_it_is_cut(stream: bytes, expected: list[Event]) -> None:
    assert list(events([stream])) == expected
    assert list(events(bytewise(stream))) == expected


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (b"", BrokenAnswerError),
        (say("half an ans"), BrokenAnswerError),
        (b"data: {nonsense\n\n", BrokenAnswerError),
        (b"data: [1, 2]\n\n", BrokenAnswerError),
        (b"data: \xff\xfe\n\n", BrokenAnswerError),
        (b"data: " + b"[" * 100_000 + b"\n\n", BrokenAnswerError),
        (b"data: " + b"x" * 5_000_000, BrokenAnswerError),
        (b'data: {"error":{"code":500,"message":"out of memory"}}\n\n', RefusedError),
        (b'error: {"code":500,"message":"out of memory"}\n\n', RefusedError),
        (b'data: {"error":null}\n\n', RefusedError),
    ],
)
def test_a_bad_stream_ends_in_an_error_of_ours(stream: bytes, error: type[RuntimeFailedError]) -> None:
    with pytest.raises(error):
        list(events([stream]))


@pytest.mark.parametrize(
    ("status", "body", "error", "sentence"),
    [
        (503, b'{"error":{"code":503,"message":"Loading model"}}', LoadingError, "My model is still loading."),
        (400, b'{"error":{"message":"no\\nsuch\\u001b[31m thing"}}', RefusedError, "refused this: no such[31m thing"),
        (500, b"<html>", RefusedError, "HTTP status 500"),
        (500, b"[]", RefusedError, "HTTP status 500"),
        (
            400,
            b'{"error":{"code":400,"type":"exceed_context_size_error","n_prompt_tokens":900,"n_ctx":512}}',
            ContextFullError,
            "900 tokens, and I can hold 512",
        ),
    ],
)
def test_a_refusal_is_told_in_one_sentence(
    status: int, body: bytes, error: type[RuntimeFailedError], sentence: str
) -> None:
    refused = refusal_from_body(status, body)
    assert type(refused) is error
    assert sentence in str(refused)


@pytest.mark.parametrize(
    ("progress", "percent"),
    [(Progress(0, 8, 0), 0), (Progress(3, 8, 0), 37), (Progress(9, 8, 0), 100), (Progress(0, 0, 0), 0)],
)
def test_progress_is_between_0_and_100_per_cent(progress: Progress, percent: int) -> None:
    assert progress.percent == percent


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\n\tlines", "two\n\tlines"),
        ("\x1b[2J\x1b]0;owned\x07red\x1b[0m", "[2J]0;ownedred[0m"),
        ("a\x9b31mb\x85c\x7fd\x00e\r\nf", "a31mbcde\nf"),
        ("safe\u202etxt.exe\u2066", "safetxt.exe"),
        ("half \ud83d a pair", "half ? a pair"),
        ("Zoë, 日本語 🙂", "Zoë, 日本語 🙂"),
    ],
)
def test_nothing_that_a_terminal_would_obey_is_left(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_the_model_says_is_printable_before_any_face_sees_it() -> None:
    assert next(events([say("\x1b[2Jboo")])) == Text("[2Jboo")
