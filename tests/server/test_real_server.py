"""What the client makes of the real server, whatever the model says."""

from contextlib import closing
from threading import Thread

import pytest

from claudine.conversation import Message
from claudine.protocol import BrokenAnswerError, ContextFullError, Done, Event, Progress, Text, UnavailableError
from claudine.runtime import Runtime
from tests.server.conftest import CONTEXT, Server

ASKED = [Message("user", "Where?")]


@pytest.fixture
def runtime(server: Server) -> Runtime:
    return Runtime(str(server.socket))


def first_words(runtime: Runtime) -> str:
    """Begin an answer that would go on for long, and hang up."""
    with closing(runtime.stream_chat(ASKED, max_tokens=CONTEXT)) as events:
        return next(event.text for event in events if isinstance(event, Text))


def test_an_answer_streams_and_its_tokens_are_counted(runtime: Runtime) -> None:
    events = list(runtime.stream_chat(ASKED, max_tokens=20))
    assert sum(isinstance(event, Text) for event in events) > 10
    assert events[-1] == Done(prompt_tokens=len("<user>Where?\n<assistant>") + 1, tokens=20, cut_short=True)


def test_it_says_how_far_a_long_message_is_read(runtime: Runtime) -> None:
    events = list(runtime.stream_chat([Message("user", "x" * 3000)], max_tokens=1))
    percents = [event.percent for event in events if isinstance(event, Progress)]
    assert percents == sorted(percents)
    assert len(set(percents)) > 1


def test_a_stopped_answer_leaves_the_server_free_at_once(runtime: Runtime) -> None:
    assert first_words(runtime)
    assert isinstance(list(runtime.stream_chat(ASKED, max_tokens=1))[-1], Done)


def test_what_is_too_long_is_refused_with_both_counts(runtime: Runtime) -> None:
    with pytest.raises(ContextFullError) as refused:
        list(runtime.stream_chat([Message("user", "x" * (CONTEXT + 1))]))
    assert refused.value.n_prompt > refused.value.n_ctx == CONTEXT


def test_a_server_that_ends_in_the_middle_of_an_answer_is_noticed_and_can_come_back(
    server: Server, runtime: Runtime
) -> None:
    events = runtime.stream_chat(ASKED, max_tokens=CONTEXT)
    assert any(isinstance(event, Text) for event in events)
    server.end()
    with pytest.raises(BrokenAnswerError):
        list(events)
    with pytest.raises(UnavailableError):
        first_words(runtime)
    server.start()
    assert first_words(runtime)


def test_two_clients_at_once_both_get_their_answer(server: Server) -> None:
    ends: list[Event] = []

    def ask() -> None:
        ends.append(list(Runtime(str(server.socket)).stream_chat(ASKED, max_tokens=50))[-1])

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [isinstance(end, Done) and end.tokens for end in ends] == [50, 50]
