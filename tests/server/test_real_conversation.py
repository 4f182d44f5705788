"""A conversation with the real server, whatever the model says."""

import json
import socket
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from claudine import voice
from claudine.conversation import ChatSettings
from claudine.protocol import Text
from claudine.record import Record
from claudine.runtime import Runtime
from claudine.talk import Answer, Ended, Talk, Waiting
from claudine.trace import Trace
from tests.server.conftest import CONTEXT, Server

SHORT = ChatSettings(max_tokens=20)
LONG = ChatSettings(max_tokens=CONTEXT)


def talk_with(server: Server) -> Talk:
    runtime: Future[Runtime] = Future()
    runtime.set_result(Runtime(str(server.socket)))
    talk = Talk(runtime, Record(None, "tty1", print))
    talk.record.set_settings(SHORT)
    return talk


@pytest.fixture
def talk(server: Server) -> Talk:
    return talk_with(server)


def hear(answer: Answer | None) -> Ended:
    assert answer is not None
    *_, last = answer
    assert isinstance(last, Ended)
    return last


def said(talk: Talk) -> list[str]:
    return [entry.text for entry in talk.record.path]


def slot(path: Path) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(b"GET /slots HTTP/1.0\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    only: dict[str, Any] = json.loads(received.partition(b"\r\n\r\n")[2])[0]
    return only


def test_tokens_are_counted_and_the_engine_is_known(talk: Talk) -> None:
    ended = hear(talk.send("Where?"))
    assert (ended.remark, ended.tokens) == (voice.CUT_SHORT, 20)
    trace = Trace.from_json(talk.record.path[-1].trace)
    assert trace.prompt_tokens == len("<system>\n<user>Where?\n<assistant>") + 1
    assert trace.build.startswith("b")
    assert talk.usage is not None
    assert (talk.usage.used, talk.usage.size) == (trace.prompt_tokens + 20, CONTEXT)
    assert talk.count("Where?") == len("Where?")


def test_an_answer_goes_on_and_what_was_said_stands_there_once(talk: Talk) -> None:
    hear(talk.send("Where?"))
    first = said(talk)[-1]
    hear(talk.go_on())
    assert said(talk)[-1].startswith(first.rstrip())
    assert len(said(talk)[-1]) == len(first.rstrip()) + 20
    assert talk.usage is not None
    assert Trace.from_json(talk.record.path[-1].trace).tokens == 20 + len(first.rstrip())


def test_a_stopped_answer_is_kept_and_the_server_is_free(talk: Talk) -> None:
    talk.record.set_settings(LONG)
    answer = talk.send("Where?")
    events = iter(answer)
    assert any(isinstance(event, Text) for event in events)
    answer.stop()
    *_, ended = events
    assert isinstance(ended, Ended)
    assert (ended.said, ended.remark) == (True, voice.STOPPED)
    talk.record.set_settings(SHORT)
    assert hear(talk.send("And then?")).tokens == 20


def test_of_a_private_conversation_nothing_is_left_in_the_slot(server: Server, talk: Talk) -> None:
    talk.record.begin(private=True)
    talk.record.set_settings(SHORT)
    hear(talk.send("My secret word is marmalade."))
    # The line break, and what begins every text.
    assert slot(server.socket)["n_prompt_tokens"] == 2


@pytest.mark.parametrize("how", ["drop", "summarise"])
def test_a_conversation_that_is_full_goes_on_when_there_is_room(talk: Talk, how: str) -> None:
    hear(talk.send("x" * 1500))
    hear(talk.send("y" * 1500))
    ended = hear(talk.send("z" * 1500))
    assert ended.full is not None
    assert ended.full.n_prompt > ended.full.n_ctx == CONTEXT
    assert hear(talk.make_room("drop" if how == "drop" else "summarise")).tokens == 20
    assert len(said(talk)) == 6
    assert bool(talk.record.settings.summary) == (how == "summarise")


def test_an_answer_that_runs_into_the_end_of_the_context_says_so(talk: Talk) -> None:
    talk.record.set_settings(LONG)
    assert hear(talk.send("x" * (CONTEXT - 100))).remark == voice.CONTEXT_ENDS
    assert talk.usage is not None
    assert talk.usage.used >= CONTEXT - 1


def test_a_server_that_ends_in_mid_answer_is_waited_for_with_the_next_message(server: Server, talk: Talk) -> None:
    talk.record.set_settings(LONG)
    events = iter(talk.send("Where?"))
    assert any(isinstance(event, Text) for event in events)
    server.end()
    *_, ended = events
    assert isinstance(ended, Ended)
    assert (ended.said, ended.remark) == (True, voice.RUNTIME_BROKE_OFF)
    talk.record.set_settings(SHORT)
    events = iter(talk.send("And then?"))
    assert isinstance(next(events), Waiting)
    server.start()
    *_, ended = events
    assert isinstance(ended, Ended)
    assert ended.tokens == 20


def test_two_people_at_once_both_get_their_answer(server: Server) -> None:
    talks = [talk_with(server), talk_with(server)]
    threads = [Thread(target=lambda talk=talk: hear(talk.send("Where?"))) for talk in talks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(said(talk)) for talk in talks] == [2, 2]
