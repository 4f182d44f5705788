"""One request about the disk, and its answer."""

import json
import os
import threading
from pathlib import Path

import pytest

from claudine_state import request
from claudine_state import serve as server
from claudine_state.serve import serve
from tests.state.simulated_machine import RECOVERY_KEY, SimulatedMachine

MARKER = "var/lib/claudine-state/recovery-key-confirmed"


def send(machine: SimulatedMachine, line: bytes, *, end: bool = True) -> dict[str, object]:
    source, from_client = os.pipe()
    to_client, target = os.pipe()
    try:
        os.write(from_client, line)
        if end:
            os.close(from_client)
        serve(machine.host, source, target)
        answer = json.loads(os.read(to_client, 65536))
    finally:
        for descriptor in (source, to_client, target, *([] if end else [from_client])):
            os.close(descriptor)
    assert isinstance(answer, dict)
    return answer


def ask(machine: SimulatedMachine, request: str) -> dict[str, object]:
    return send(machine, json.dumps({"request": request}).encode() + b"\n", end=False)


@pytest.fixture
def running(machine: SimulatedMachine) -> SimulatedMachine:
    machine.put_partition()
    machine.put_tpm()
    machine.keys = {"0": "what the TPM knows"}
    return machine


def test_status_follows_the_recovery_key(running: SimulatedMachine) -> None:
    status = ask(running, "status")
    assert (status["unlock"], status["recovery_key"]) == ("tpm2", "none")
    assert 0 < int(str(status["free_bytes"])) <= int(str(status["size_bytes"]))

    assert ask(running, "new-recovery-key") == {"recovery_key": RECOVERY_KEY}
    assert ask(running, "status")["recovery_key"] == "unconfirmed"
    assert ask(running, "confirm-recovery-key") == {}
    assert (running.host.root / MARKER).read_text() == "1\n"
    assert ask(running, "status")["recovery_key"] == "confirmed"
    ask(running, "new-recovery-key")
    assert ask(running, "status")["recovery_key"] == "unconfirmed"


def test_the_marker_is_about_one_key(running: SimulatedMachine) -> None:
    ask(running, "new-recovery-key")
    running.put(MARKER, b"7\n\xff")
    assert ask(running, "status")["recovery_key"] == "unconfirmed"


def test_the_marker_goes_before_a_new_key_is_made(running: SimulatedMachine) -> None:
    ask(running, "new-recovery-key")
    ask(running, "confirm-recovery-key")
    running.failing["systemd-cryptenroll"] = (1, "TPM refused.")
    assert ask(running, "new-recovery-key") == {"error": "systemd-cryptenroll: TPM refused."}
    assert not (running.host.root / MARKER).exists()


def test_a_new_key_is_made_by_the_tpm_and_pcr_7_is_recorded_once(running: SimulatedMachine) -> None:
    ask(running, "new-recovery-key")
    ask(running, "new-recovery-key")
    enrolment = "systemd-cryptenroll --unlock-tpm2-device=auto --wipe-slot=recovery --recovery-key "
    assert running.calls.count(enrolment + str(running.host.partition)) == 2
    seals = [token for token in running.tokens.values() if token["type"] == "claudine-seal"]
    assert seals == [{"type": "claudine-seal", "keyslots": [], "pcrs": {"7": "aa"}}]
    assert not any(RECOVERY_KEY in call for call in running.calls)


def test_a_record_that_fails_does_not_keep_the_key_back(
    running: SimulatedMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    running.failing["cryptsetup token import"] = (1, "No space.")
    assert ask(running, "new-recovery-key") == {"recovery_key": RECOVERY_KEY}
    said = capsys.readouterr()
    assert "No space." in said.err
    assert RECOVERY_KEY not in said.out + said.err


def test_a_disk_with_a_passphrase_gets_no_recovery_key(running: SimulatedMachine) -> None:
    running.put("usr/lib/claudine-state/unlock", "passphrase\n")
    assert "passphrase" in str(ask(running, "new-recovery-key")["error"])
    assert running.calls == []


def test_a_key_that_is_not_there_cannot_be_confirmed(running: SimulatedMachine) -> None:
    assert ask(running, "confirm-recovery-key") == {"error": "There is no recovery key yet."}
    assert not (running.host.root / MARKER).exists()


def test_factory_reset_is_answered_and_done(running: SimulatedMachine) -> None:
    assert ask(running, "factory-reset") == {}
    assert running.keys == {}
    assert running.host.partition.read_bytes() == bytes(1024)
    assert running.calls[0] == "/usr/lib/systemd/systemd-factory-reset request"
    assert running.calls[-1] == "systemctl reboot"


def test_factory_reset_that_is_not_possible_is_an_error_and_erases_nothing(running: SimulatedMachine) -> None:
    running.failing["/usr/lib/systemd/systemd-factory-reset request"] = (1, "Not an EFI boot.")
    assert "Not an EFI boot." in str(ask(running, "factory-reset")["error"])
    assert running.keys != {}


def test_factory_reset_goes_on_when_nobody_waits_for_the_answer(running: SimulatedMachine) -> None:
    source, from_client = os.pipe()
    to_client, target = os.pipe()
    os.write(from_client, b'{"request": "factory-reset"}\n')
    os.close(to_client)
    serve(running.host, source, target)
    assert running.calls[-1] == "systemctl reboot"
    for descriptor in (source, from_client, target):
        os.close(descriptor)


@pytest.mark.parametrize(("request_", "done"), [("power-off", "poweroff"), ("restart", "reboot")])
def test_going_down_is_answered_and_done(running: SimulatedMachine, request_: str, done: str) -> None:
    assert ask(running, request_) == {}
    assert running.calls == [f"systemctl {done}"]
    running.failing["systemctl"] = (1, "Access denied")
    assert ask(running, request_) == {}


def test_going_down_does_not_wait_for_a_request_that_hangs(running: SimulatedMachine) -> None:
    with server._lock(running.host):
        assert ask(running, "power-off") == {}
    assert running.calls == ["systemctl poweroff"]


def test_the_header_is_overwritten_but_no_more(running: SimulatedMachine) -> None:
    size = 33 * 1024**2
    partition = running.put("dev/disk/claudine-state", b"\xff" * size)
    ask(running, "factory-reset")
    content = partition.read_bytes()
    assert len(content) == size
    assert content.count(0) == 32 * 1024**2


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"status\n",
        b"\xff\xfe\n",
        b"[" * 4000 + b"\n",
        b"9" * 4090 + b"\n",
        b'{"request": "status"}' + b" " * 4096 + b"\n",
        b'"status"\n',
        b'["status"]\n',
        b"null\n",
        b"{}\n",
        b'{"request": null}\n',
        b'{"request": ["factory-reset"]}\n',
        b'{"request": {"factory-reset": true}}\n',
        b'{"request": "Factory-Reset"}\n',
        b'{"request": "../status"}\n',
        b'{"Request": "status"}\n',
        b'{"request": "status", "device": "/dev/sda"}\n',
    ],
)
def test_what_is_no_request_does_nothing(running: SimulatedMachine, line: bytes) -> None:
    assert list(send(running, line)) == ["error"]
    assert running.calls == []


def test_a_client_that_says_nothing_is_told_so(running: SimulatedMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "_TIMEOUT_S", 0.05)
    assert send(running, b'{"requ', end=False) == {"error": "The request did not come in time."}


def test_one_request_after_the_other(running: SimulatedMachine) -> None:
    answers: list[dict[str, object]] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(running, "new-recovery-key"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"recovery_key": RECOVERY_KEY}] * 4
    assert sum(token["type"] == "systemd-recovery" for token in running.tokens.values()) == 1


def test_the_lock_is_for_root(running: SimulatedMachine) -> None:
    ask(running, "status")
    assert Path(running.host.root / "run/claudine-state/lock").stat().st_mode & 0o777 == 0o600
