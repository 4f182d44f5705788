"""``claudine ask`` and ``claudine status`` as a script sees them: standard output, exit codes, no traceback."""

import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from claudine.__main__ import main
from tests.client.conftest import COMMAND, ENV
from tests.support.fake_runtime import Answer, FakeRuntime, Refuse, overflow
from tests.support.fake_state import FakeState


@dataclass(frozen=True)
class Result:
    code: int | str | None
    stdout: str
    stderr: str


@pytest.fixture
def call(socket: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Result]]:
    """Run the command in this process, which saves most of the time; a traceback would be an exception here."""

    def call(*arguments: str) -> Result:
        try:
            code: int | str | None = main([*arguments, "--socket", str(socket)])
        except SystemExit as left:
            code = left.code
        return Result(code, *capsys.readouterr())

    before = signal.getsignal(signal.SIGINT)
    yield call
    signal.signal(signal.SIGINT, before)


def run(socket: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments, "--socket", str(socket)], input=given, capture_output=True, env=ENV, timeout=10
    )


@pytest.mark.parametrize(
    ("pieces", "stdout"),
    [
        (["The capital ", "is Paris."], "The capital is Paris.\n"),
        (["with its own newline\n"], "with its own newline\n"),
        (["\x1b[31mGrüße\x07"], "[31mGrüße\n"),
    ],
)
def test_standard_output_is_exactly_the_answer(socket: Path, pieces: Sequence[str], stdout: str) -> None:
    with FakeRuntime(socket, [Answer(pieces, progress=[(1, 2)])]):
        done = run(socket, "ask", "What is the capital of France?")
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, stdout, b"")


def test_a_script_gets_the_same_answer_each_time(socket: Path) -> None:
    with FakeRuntime(socket, [Answer(["Paris."])]) as runtime:
        main(["ask", "Where?", "--socket", str(socket)])
    assert runtime.requests[0]["temperature"] == 0


def test_json_is_one_object(socket: Path) -> None:
    with FakeRuntime(socket, [Answer(["Pa", "ris"], "length")]) as server:
        done = run(socket, "ask", "--json", "--max-tokens", "2", "Where?")
    report = json.loads(done.stdout)
    assert report.pop("seconds") >= 0
    assert report == {"answer": "Paris", "model": "tiny.gguf", "tokens": 2, "cut_short": True}
    assert server.requests[0]["max_tokens"] == 2


def test_the_question_can_come_from_standard_input(socket: Path) -> None:
    with FakeRuntime(socket) as server:
        done = run(socket, "ask", "-", given=b"not utf-8: \xff\nsecond line\n")
    assert done.returncode == 0
    assert server.texts(0) == ["not utf-8: \ufffd\nsecond line"]
    empty = run(socket, "ask", "-")
    assert (empty.returncode, empty.stdout) == (2, b"")
    assert empty.stderr.startswith(b"There is no question. For example: ")


@pytest.mark.parametrize(
    ("behaviour", "stdout", "stderr"),
    [
        (Answer(["half "], "close"), "half ", "broke off in the middle"),
        (Answer(["half "], "malformed"), "half ", "something that I cannot read"),
        (Answer(["half "], "error"), "half ", "refused this: out of [31mmemory"),
        (overflow(900, 512), "", "900 tokens, and I can hold 512"),
        (Refuse(503, b"{}"), "", "HTTP status 503"),
        (Refuse(500, b"\x00"), "", "HTTP status 500"),
    ],
)
def test_a_runtime_that_fails_is_one_sentence_and_exit_code_3(
    socket: Path, call: Callable[..., Result], behaviour: Answer | Refuse, stdout: str, stderr: str
) -> None:
    with FakeRuntime(socket, [behaviour]):
        done = call("ask", "Why?")
    assert (done.code, done.stdout) == (3, stdout)
    assert stderr in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_runtime_that_does_not_come_is_told_after_the_time_given(socket: Path, call: Callable[..., Result]) -> None:
    sentence = f"My runtime is not ready after 0 s: nobody answers at {socket}.\n"
    assert call("ask", "--timeout", "0", "Anybody?") == Result(3, "", sentence)


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        (["ask"], "question"),
        (["ask", "  "], "There is no question"),
        (["ask", "--timeout", "soon", "Why?"], "'soon' is no number of seconds, for example 600"),
        (["ask", "--timeout", "nan", "Why?"], "'nan' is no number of seconds"),
        (["ask", "--max-tokens", "-1", "Why?"], "'-1' is no number of tokens, for example 256"),
        (["sing"], "invalid choice: 'sing'"),
    ],
)
def test_wrong_use_is_exit_code_2(call: Callable[..., Result], arguments: Sequence[str], stderr: str) -> None:
    done = call(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert stderr in done.stderr


def test_a_fault_of_its_own_is_one_sentence_with_its_place(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claudine.runtime.Runtime.state", lambda self: 1 // 0)
    done = call("status")
    assert (done.code, done.stdout) == (3, "")
    assert re.fullmatch(r"I stumbled over a fault of my own: ZeroDivisionError at \S+:\d+: .*\n", done.stderr)


def test_ctrl_c_ends_it_with_130_and_tells_the_server(socket: Path) -> None:
    with FakeRuntime(socket, [Answer(["on and "], "hang")]) as server:
        command = [*COMMAND, "--socket", str(socket), "ask", "For ever?"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV) as asking:
            assert asking.stdout is not None
            assert asking.stderr is not None
            assert asking.stdout.read(7) == b"on and "
            asking.send_signal(signal.SIGINT)
            assert asking.wait(5) == 130
            assert asking.stderr.read() == b""
        assert server.client_left.wait(5)


def test_a_reader_that_leaves_is_no_fault(socket: Path) -> None:
    with FakeRuntime(socket, [Answer(["line\n"] * 50)]):
        command = [*COMMAND, "--socket", str(socket), "ask", "Much?"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV) as asking:
            assert asking.stdout is not None
            assert asking.stderr is not None
            asking.stdout.close()
            assert asking.wait(5) == 141
            assert asking.stderr.read() == b""


def test_status_tells_a_person_and_a_script(socket: Path, call: Callable[..., Result]) -> None:
    assert call("status") == Result(1, f"absent: nobody answers at {socket}\n", "")
    with FakeRuntime(socket, loads=1):
        assert call("status") == Result(1, "loading: the model is not in memory yet\n", "")
        assert call("status") == Result(0, "ready: tiny.gguf\n", "")
        ready = call("status", "--json")
    assert ready.code == 0
    report = json.loads(ready.stdout)
    told = {name: report[name] for name in ("state", "detail", "model", "socket")}
    assert told == {"state": "ready", "detail": "", "model": "tiny.gguf", "socket": str(socket)}


def test_status_tells_a_script_of_the_machine(socket: Path, tmp_path: Path, call: Callable[..., Result]) -> None:
    control = tmp_path / "control.sock"
    desk = json.loads(call("status", "--json", "--state-socket", str(control)).stdout)
    assert (desk["state"], desk["disk"]) == ("absent", None)
    assert 0 < desk["memory"]["free_bytes"] < desk["memory"]["size_bytes"]
    assert desk["facts"]["line"].startswith(("not sealed", "only lo"))
    assert desk["facts"]["interfaces"][0].keys() == {"name", "received_bytes", "sent_bytes"}
    with FakeState(control):
        machine = json.loads(call("status", "--json", "--state-socket", str(control)).stdout)
    assert machine["disk"] == {"size_bytes": 1024**3, "free_bytes": 500 * 1024**2}
