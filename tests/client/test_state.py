"""The protocol of the service that looks after the disk; and the picture of a key."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from claudine import voice
from claudine.qr import qr_rows
from claudine.state import DiskStatus, NoServiceError, StateError, StateService, Stick
from tests.support.fake_state import FakeState
from tests.support.qr_decoder import decode

KEY = "cbdefghi-jklnrtuv-vutrnlkj-ihgfedbc-cccccccc-vvvvvvvv-cvcvcvcv-jklnrtuv"
MIB = 1024**2


@contextmanager
def answering(socket: Path, line: bytes) -> Iterator[StateService]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(line)

    with socketserver.UnixStreamServer(str(socket), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield StateService(str(socket))
        server.shutdown()
        thread.join()


def test_each_request_gets_its_answer(socket: Path) -> None:
    with FakeState(socket, unlock="tpm2") as fake:
        service = StateService(str(socket))
        assert service.status() == DiskStatus("tpm2", "none", 1024 * MIB, 500 * MIB)
        assert service.new_recovery_key() == fake.keys[0]
        service.confirm_recovery_key()
        service.factory_reset()
        assert service.status().recovery_key == "confirmed"
    assert fake.requests == ["status", "new-recovery-key", "confirm-recovery-key", "factory-reset", "status"]


def test_a_stick_is_named_as_it_was_listed(socket: Path, tmp_path: Path) -> None:
    with FakeState(socket, stick=tmp_path) as fake:
        service = StateService(str(socket))
        [stick] = service.sticks()
        assert stick == Stick("17-1", "HOLIDAY", 10**9, "Acme")
        assert service.open_stick(stick) == str(tmp_path)
        service.close_stick()
    assert (fake.requests, fake.opened) == (["sticks", "open-stick", "close-stick"], ["17-1"])


def test_what_a_stick_is_called_is_one_safe_line(socket: Path) -> None:
    label = b'"\\u001b[2J\\nA\\u202eB"'
    line = b'{"sticks":[{"id":"1-0","label":%s,"size_bytes":1,"model":%s}]}\n' % (label, label)
    with answering(socket, line) as service:
        assert service.sticks() == [Stick("1-0", "[2J AB", 1, "[2J AB")]


@pytest.mark.parametrize("line", [b"{}\n", b'{"sticks":7}\n', b'{"sticks":[{}]}\n', b'{"sticks":["a"],"path":7}\n'])
def test_sticks_that_are_none_are_a_state_error(socket: Path, line: bytes) -> None:
    with answering(socket, line) as service:
        for ask in (service.sticks, lambda: service.open_stick(Stick("1-0", "", 1, ""))):
            with pytest.raises(StateError, match="that I cannot read"):
                ask()


def test_the_services_own_sentence_is_shown_on_one_safe_line(socket: Path) -> None:
    with FakeState(socket, failing="factory-reset"), pytest.raises(StateError) as caught:
        StateService(str(socket)).factory_reset()
    assert str(caught.value) == "The TPM is busy [31mtoday."


def test_no_service_is_told_from_a_broken_one(socket: Path) -> None:
    with pytest.raises(NoServiceError):
        StateService(str(socket)).status()
    socket.symlink_to(socket)
    with pytest.raises(StateError, match="I cannot reach the service") as caught:
        StateService(str(socket)).status()
    assert not isinstance(caught.value, NoServiceError)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"no\n",
        b"[1]\n",
        b'{"unlock":"tpm2","recovery_key":"none","size_bytes":1}\n',
        b'{"unlock":"tpm2","recovery_key":"none","size_bytes":[],"free_bytes":1}\n',
        b'{"unlock":"\xff"}\n',
        b"[" * 60000 + b"\n",
        b" " * 70000 + b"{}\n",
    ],
)
def test_an_answer_that_is_none_is_a_state_error(socket: Path, line: bytes) -> None:
    with answering(socket, line) as service, pytest.raises(StateError) as caught:
        service.status()
    # A line that is not read to its end is a connection that breaks.
    assert str(caught.value).startswith((voice.STATE_UNREADABLE, "I cannot reach"))


@pytest.mark.parametrize("key", ['"abc"', "null", f'"{KEY}x"', f'"{KEY[:-9]}"', f'"{KEY.upper()}"', f'"{KEY}\\n"'])
def test_what_is_no_recovery_key_is_not_shown(socket: Path, key: str) -> None:
    with answering(socket, b'{"recovery_key":%s}\n' % key.encode()) as service, pytest.raises(StateError):
        service.new_recovery_key()


def test_a_service_that_hangs_is_given_up(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claudine.state._STATUS_S", 0.1)
    with (
        socketserver.UnixStreamServer(str(socket), socketserver.StreamRequestHandler),
        pytest.raises(StateError) as caught,
    ):
        StateService(str(socket)).status()
    assert str(caught.value) == voice.STATE_SILENT


@pytest.mark.parametrize(
    ("size_bytes", "free_bytes", "almost_full"),
    [
        (1000 * MIB, 51 * MIB, False),
        (1000 * MIB, 49 * MIB, True),
        (100 * MIB, 33 * MIB, False),
        (100 * MIB, 31 * MIB, True),
    ],
)
def test_a_disk_is_almost_full_by_share_and_by_size(size_bytes: int, free_bytes: int, almost_full: bool) -> None:
    assert DiskStatus("tpm2", "none", size_bytes, free_bytes).almost_full is almost_full


def test_a_phone_reads_the_key_off_the_picture() -> None:
    rows = qr_rows(KEY)
    assert decode(rows, quiet=3) == KEY
    assert (len(rows), {len(row) for row in rows}) == (20, {39})
    assert set("".join(rows)) <= set("▀▄█ ")
