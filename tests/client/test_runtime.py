"""The runtime's API against a server on a real unix socket."""

import socket as sockets
import threading
from contextlib import closing
from pathlib import Path

import pytest

from claudine.conversation import Message
from claudine.protocol import BrokenAnswerError, ContextFullError, Done, Progress, Text, UnavailableError
from claudine.runtime import Kind, Runtime, State
from claudine.stop import Stop
from tests.support.fake_runtime import Answer, FakeRuntime, Refuse, overflow

QUESTION = [Message("user", "What is the capital of France?")]


def test_the_state_is_absent_then_loading_then_ready(socket: Path) -> None:
    runtime = Runtime(str(socket))
    assert runtime.state().kind is Kind.ABSENT
    with FakeRuntime(socket, loads=1):
        assert runtime.state().kind is Kind.LOADING
        assert runtime.state() == State(Kind.READY)
        assert runtime.model() == "tiny.gguf"
    assert runtime.state().kind is Kind.ABSENT
    assert runtime.model() is None


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (b"", Kind.ABSENT),
        (b"220 mail.example ESMTP\r\n\r\n", Kind.ERROR),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Kind.ERROR),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", Kind.LOADING),
    ],
)
def test_whoever_else_answers_is_no_runtime(socket: Path, response: bytes, kind: Kind) -> None:
    with sockets.socket(sockets.AF_UNIX) as server:
        server.bind(str(socket))
        server.listen()

        def respond() -> None:
            asked = b""
            # Whoever only connects to see that somebody is there says nothing.
            while not asked:
                connection, _ = server.accept()
                with connection:
                    asked = connection.recv(4096)
                    if asked:
                        connection.sendall(response)

        thread = threading.Thread(target=respond)
        thread.start()
        assert Runtime(str(socket)).state().kind is kind
        thread.join()


def test_a_path_that_can_never_be_a_socket_fails_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="AF_UNIX path too long"):
        next(Runtime(str(tmp_path / ("x" * 200))).until_ready(Stop()))


def test_waiting_tells_what_it_sees_and_ends_when_the_model_is_ready(socket: Path) -> None:
    with FakeRuntime(socket, loads=3):
        seen = [state.kind for state, _ in Runtime(str(socket)).until_ready(Stop())]
    assert seen == [Kind.LOADING] * 3


def test_waiting_can_be_stopped(socket: Path) -> None:
    stop = Stop()
    with pytest.raises(UnavailableError):
        for state, _ in Runtime(str(socket)).until_ready(stop):
            assert state.kind is Kind.ABSENT
            stop.press()


def test_an_answer_arrives_piece_by_piece_with_the_servers_counts(socket: Path) -> None:
    with FakeRuntime(socket, [Answer(["Pa", "ris"], progress=[(0, 7), (7, 7)])]) as server:
        received = list(Runtime(str(socket)).stream_chat(QUESTION, max_tokens=9))
    assert received == [
        Progress(0, 7, 0),
        Progress(7, 7, 0),
        Text("Pa", 1),
        Text("ris", 2),
        Done(prompt_tokens=7, tokens=2, cut_short=False),
    ]
    assert server.requests[0]["messages"] == [{"role": "user", "content": "What is the capital of France?"}]
    assert server.requests[0]["max_tokens"] == 9
    assert server.requests[0]["cache_prompt"] is True


def test_closing_the_events_closes_the_connection(socket: Path) -> None:
    with FakeRuntime(socket, [Answer(["on and "], "hang")]) as server:
        with closing(Runtime(str(socket)).stream_chat(QUESTION)) as events:
            assert next(events) == Text("on and ", 1)
            assert not server.client_left.is_set()
        assert server.client_left.wait(5)


def test_a_server_that_dies_while_it_answers_is_noticed(socket: Path) -> None:
    with FakeRuntime(socket, [Answer(["Par"], "close")]), pytest.raises(BrokenAnswerError, match="broke off"):
        list(Runtime(str(socket)).stream_chat(QUESTION))


def test_a_prompt_that_is_too_long_is_told_with_its_numbers(socket: Path) -> None:
    with FakeRuntime(socket, [overflow(900, 512)]), pytest.raises(ContextFullError) as raised:
        list(Runtime(str(socket)).stream_chat(QUESTION))
    assert (raised.value.n_prompt, raised.value.n_ctx) == (900, 512)


def test_asking_nobody_is_no_broken_answer(socket: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot reach my runtime"):
        list(Runtime(str(socket)).stream_chat(QUESTION))


def test_the_names_of_models_are_taken_with_care(socket: Path) -> None:
    with FakeRuntime(socket, [Refuse(500, b"")]) as server:
        server.models = b'{"data": "none"}'
        assert Runtime(str(socket)).model() is None
        server.models = b'{"data": [{"id": "/run/model/\\u001b[31mred.gguf"}]}'
        assert Runtime(str(socket)).model() == "[31mred.gguf"
