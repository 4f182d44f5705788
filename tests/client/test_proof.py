"""Proof of what the machine promises: passes on one that keeps it, and each broken promise is named."""

import errno
import hashlib
import json
import socket as sockets
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from claudine.commands import Session
from claudine.commands.proof import COMMANDS, render
from claudine.proof import Check, prove
from claudine.record import Record
from claudine.runtime import Runtime
from claudine.state import StateService
from claudine.talk import Talk
from tests.client.conftest import COMMAND, ENV
from tests.support.fake_models import RUNTIME
from tests.support.fake_runtime import FakeRuntime
from tests.support.fake_state import FakeState
from tests.support.scripted_face import ScriptedFace
from tests.support.sealed_machine import (
    CARD,
    DEV,
    FINGERPRINT,
    HOST_NAMESPACE,
    LO,
    MODEL_ROOT_HASH,
    ROOT_HASH,
    ROUTE,
    SIGNER,
    WAY_OUT,
    WEIGHTS,
    SealedMachine,
)

NAMES = ["secure-boot", "root", "signer", "kernel", "network", "sockets", "connecting", "model"]


def props(path: str) -> bytes:
    """What the server says of itself."""
    settings = {"default_generation_settings": {"n_ctx": 512}}
    return json.dumps({"model_path": path, "build_info": "b11669-Debian", **settings}).encode()


@pytest.fixture
def runtime(socket: Path) -> Iterator[FakeRuntime]:
    with FakeRuntime(socket) as fake:
        fake.props = props("/run/model/model.gguf")
        yield fake


@pytest.fixture
def machine(tmp_path: Path, socket: Path) -> Iterator[SealedMachine]:
    with SealedMachine(tmp_path, runtime_socket=str(socket)) as sealed:
        yield sealed


@pytest.fixture
def no_network_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel, as it is for a process with RestrictAddressFamilies=AF_UNIX."""

    def restricted(family: int, kind: int) -> sockets.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    kinds = {name: getattr(sockets, name) for name in ("AF_INET", "AF_INET6", "SOCK_STREAM", "SOCK_DGRAM")}
    monkeypatch.setattr("claudine.attempt.socket", SimpleNamespace(socket=restricted, **kinds))


def checks(machine: SealedMachine, socket: Path, *, said: Callable[[str], None] = lambda _: None) -> dict[str, Check]:
    found = prove(StateService(str(machine.control)), Runtime(str(socket)), say=said, root=machine.root)
    return {check.name: check for check in found}


def failed(found: dict[str, Check]) -> list[str]:
    return [check.name for check in found.values() if not check.passed]


@pytest.mark.usefixtures("runtime", "no_network_sockets")
def test_a_machine_that_keeps_its_promises_passes(machine: SealedMachine, socket: Path) -> None:
    said: list[str] = []
    found = checks(machine, socket, said=said.append)
    assert list(found) == NAMES
    assert failed(found) == []
    assert said[-1] == "I am reading my model, 100 %"
    page = render(list(found.values()))
    assert "All 8 checks passed." in page
    for word in (ROOT_HASH, FINGERPRINT, "Ada Lovelace", "[integrity]", "net:[4026532001]", "Network is unreachable"):
        assert word in page
    for command in ("cat /proc/812/net/dev", "dmsetup table root", "sha256sum /proc/812/root/run/model/model.gguf"):
        assert f"  $ {command}\n    " in page
    assert max(len(line) for line in page.splitlines() if not line.startswith("    ")) < 400


def test_a_process_that_may_open_network_sockets_is_told(machine: SealedMachine, runtime: FakeRuntime) -> None:
    found = checks(machine, Path(str(runtime.server_address)))
    assert failed(found) == ["sockets"]


def spoil_dev(evidence: dict[str, Any]) -> None:
    evidence["runtime"]["dev"] = DEV + LO + CARD


def spoil_route(evidence: dict[str, Any]) -> None:
    evidence["runtime"]["route"] = ROUTE + WAY_OUT


BROKEN: list[tuple[Callable[[dict[str, Any]], object], list[str]]] = [
    (lambda e: e.update(secure_boot=False), ["secure-boot"]),
    (lambda e: e.update(secure_boot=None), ["secure-boot"]),
    (lambda e: e.update(secure_boot="yes"), ["secure-boot"]),
    (lambda e: e.update(setup_mode=True), ["secure-boot"]),
    (lambda e: e.update(command_line="00" + ROOT_HASH[2:]), ["root"]),
    (lambda e: e.update(command_line=None), ["root"]),
    (lambda e: e.update(command_line="verity"), ["root"]),
    (lambda e: e.update(verity_table=e["verity_table"].replace(" root_hash_sig_key_desc systemd", "")), ["root"]),
    (lambda e: e.update(verity_table=e["verity_table"].replace("verity", "linear")), ["root"]),
    (lambda e: e.update(require_signatures="N"), ["root"]),
    (lambda e: e.update(signer=None), ["signer"]),
    (lambda e: e.update(lockdown="[none] integrity confidentiality"), ["kernel"]),
    (lambda e: e.update(lockdown=7), ["kernel"]),
    (spoil_dev, ["network"]),
    (spoil_route, ["network"]),
    (lambda e: e.update(runtime=None), ["network"]),
    (lambda e: e["runtime"].update(dev="x\n" * 9), ["network"]),
    (lambda e: e["runtime"].update(namespace=HOST_NAMESPACE), ["network"]),
    (lambda e: e["runtime"].update(namespace=4026532999), ["network"]),
    (lambda e: e.clear(), ["secure-boot", "root", "signer", "kernel", "network"]),
]


@pytest.mark.usefixtures("runtime", "no_network_sockets")
@pytest.mark.parametrize(("spoil", "names"), BROKEN)
def test_a_broken_promise_fails_its_check_and_no_other(
    machine: SealedMachine, socket: Path, spoil: Callable[[dict[str, Any]], object], names: list[str]
) -> None:
    assert machine.evidence
    spoil(machine.evidence)
    assert failed(checks(machine, socket)) == names


@pytest.mark.usefixtures("runtime", "no_network_sockets")
@pytest.mark.parametrize(
    ("attempts", "meaning"),
    [
        ({"namespace": "net:[4026532001]", "attempts": [{"what": "TCP", "error": "", "words": ""}]}, "not refused"),
        ({"namespace": "net:[4026532001]", "attempts": [{"what": "TCP", "error": "ETIMEDOUT"}]}, "not refused"),
        ({"namespace": "net:[4026532001]", "attempts": [{"what": "TCP", "error": "EPERM"}]}, "not refused"),
        ({"namespace": "net:[4026532001]", "attempts": []}, "not refused"),
        ({"namespace": "net:[4026532001]", "attempts": [None, 7]}, "not refused"),
        ({"namespace": "net:[7]", "attempts": [{"what": "TCP", "error": "ENETUNREACH"}]}, "another network"),
        ({"attempts": [{"what": "TCP", "error": "ENETUNREACH"}]}, "another network"),
        (None, "could not have it tried"),
    ],
)
def test_an_attempt_that_is_not_refused_there_is_no_proof(
    machine: SealedMachine, socket: Path, attempts: dict[str, Any] | None, meaning: str
) -> None:
    machine.attempts = attempts
    found = checks(machine, socket)
    assert failed(found) == ["connecting"]
    assert meaning in found["connecting"].meaning


@pytest.mark.usefixtures("runtime", "no_network_sockets")
def test_other_weights_fail_and_the_model_is_named(machine: SealedMachine, socket: Path) -> None:
    machine.put_weights(WEIGHTS[:-1] + b"!")
    found = checks(machine, socket)
    assert failed(found) == ["model"]
    assert found["model"].meaning.endswith("not what this image was built with: Tiny Model.")
    page = render([found["model"]])
    assert hashlib.sha256(WEIGHTS).hexdigest() in page
    assert MODEL_ROOT_HASH in page


@pytest.mark.usefixtures("runtime", "no_network_sockets")
def test_the_images_own_model_from_an_unsigned_image_fails(machine: SealedMachine, socket: Path) -> None:
    machine.put_weights(WEIGHTS, signer=None)
    assert failed(checks(machine, socket)) == ["model"]


@pytest.mark.usefixtures("runtime", "no_network_sockets")
@pytest.mark.parametrize(("signer", "names"), [(SIGNER, []), (None, ["model"])])
def test_a_model_that_was_added_is_proven_by_who_signed_it(
    machine: SealedMachine, socket: Path, signer: dict[str, str] | None, names: list[str]
) -> None:
    machine.models["runtime"] = [RUNTIME | {"model": "other_2"}]
    machine.put_weights(b"others", signer=signer)
    found = checks(machine, socket)
    assert failed(found) == names
    assert "other_2 did not come with this image" in found["model"].meaning


@pytest.mark.usefixtures("runtime", "no_network_sockets")
@pytest.mark.parametrize("record", [None, b"", b"[]", b"\xff", b'{"name": "tiny"}', b"[" * 99999])
def test_a_record_that_cannot_be_read_is_no_proof(machine: SealedMachine, socket: Path, record: bytes | None) -> None:
    file = machine.root / "usr/share/claudine/model.json"
    file.unlink() if record is None else file.write_bytes(record)
    assert failed(checks(machine, socket)) == ["model"]


@pytest.mark.usefixtures("runtime", "no_network_sockets")
@pytest.mark.parametrize(
    "answer",
    [{"error": "The model does not \x1b[31mrun."}, {"done": True}, {"done": True, "signer": 7}, {"step": "hashing"}],
)
def test_weights_that_are_not_read_are_no_proof(machine: SealedMachine, socket: Path, answer: dict[str, Any]) -> None:
    machine.models["hash"] = [answer]
    found = checks(machine, socket)
    assert failed(found) == ["model"]
    assert "could not have the weights read" in found["model"].meaning
    assert "\x1b" not in render([found["model"]])


def test_a_desk_proves_nothing_and_says_why(tmp_path: Path, socket: Path) -> None:
    desk = prove(StateService(str(tmp_path / "control.sock")), Runtime(str(socket)), say=lambda _: None)
    found = {check.name: check for check in desk}
    assert failed(found) == NAMES
    assert "there is no service at" in render(list(found.values()))


def test_the_attempt_reports_what_the_kernel_says() -> None:
    """In a network with nothing but lo, where there may be one."""
    code = "from claudine.attempt import connect_out; print([one.error for one in connect_out()])"
    command = ["unshare", "--user", "--map-root-user", "--net", COMMAND[0], "-c", code]
    done = subprocess.run(command, env=ENV, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip(f"no network of one's own here: {done.stderr}")
    assert set(eval(done.stdout)) <= {"ENETUNREACH", "EADDRNOTAVAIL"}


def session(machine: SealedMachine, socket: Path, face: ScriptedFace) -> Session:
    runtime: Future[Runtime] = Future()
    runtime.set_result(Runtime(str(socket)))
    return Session(Talk(runtime, Record(None, "tty1", face.remark)), face, StateService(str(machine.control)))


def run(name: str, here: Session) -> None:
    (command,) = (command for command in COMMANDS if command.name == name)
    assert command.run(here, "") is None


@pytest.mark.usefixtures("runtime")
def test_prove_is_one_page(machine: SealedMachine, socket: Path) -> None:
    face = ScriptedFace()
    run("prove", session(machine, socket, face))
    (page,) = face.pages
    assert page.startswith("What you can check\n")
    assert "1. Secure Boot" in page


@pytest.mark.usefixtures("runtime")
def test_a_receipt_is_about_the_last_answer(machine: SealedMachine, socket: Path) -> None:
    face = ScriptedFace()
    here = session(machine, socket, face)
    run("receipt", here)
    assert face.remarks == ["I have not answered anything here yet, so there is no receipt."]
    record = here.talk.record
    record.add("user", "Where?")
    record.add("assistant", "There.")
    trace = {"model": "ti\x1b[31mny", "tokens": 12, "prompt_tokens": 30, "seconds": 4.2, "build": "b11669"}
    record.complete(json.dumps(trace))
    run("receipt", here)
    for row in ("Model: ti[31mny", "Engine: b11669", "Tokens read: 30", "Tokens written: 12", "Seconds: 4.2"):
        assert f" {row}" in face.pages[0].splitlines()


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(("model", "own"), [("tiny_1", True), ("other_2", False), ("", False)])
def test_a_receipt_has_the_weights_of_the_model_that_answered_or_none(
    machine: SealedMachine, socket: Path, model: str, own: bool
) -> None:
    face = ScriptedFace()
    here = session(machine, socket, face)
    here.talk.record.add("user", "Where?")
    here.talk.record.add("assistant", "There.")
    here.talk.record.complete(json.dumps({"model": model}))
    run("receipt", here)
    assert ("Its SHA-256: not read, because another model is in use now" in face.pages[0]) != own


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("trace", ["", "no", "[]", "null", '{"model": [1]}', "[" * 99999])
def test_a_receipt_says_what_was_not_recorded(machine: SealedMachine, socket: Path, trace: str) -> None:
    face = ScriptedFace()
    here = session(machine, socket, face)
    here.talk.record.add("user", "Where?")
    here.talk.record.add("assistant", "There.")
    here.talk.record.complete(trace)
    run("receipt", here)
    assert "Model: not recorded" in face.pages[0]


@pytest.mark.usefixtures("runtime")
def test_about_and_status_are_plain_on_a_desk(machine: SealedMachine, socket: Path) -> None:
    face = ScriptedFace()
    here = session(machine, socket, face)
    run("about", here)
    run("status", here)
    about, status = face.pages
    assert "Engine: llama-server b11669-Debian" in about
    assert "Image: none: this is not a ClaudineOS machine" in about
    assert "Runtime: ready" in status
    assert "Disk: Nobody looks after an encrypted disk here" in status
    assert "GB used" in status


@pytest.mark.usefixtures("runtime")
def test_status_has_the_disk(machine: SealedMachine, socket: Path) -> None:
    face = ScriptedFace()
    with FakeState(machine.control):
        run("status", session(machine, socket, face))
    assert "Disk: 549 MB of 1.1 GB used (51 %)" in face.pages[0]


def test_a_script_gets_the_checks_and_an_exit_code(machine: SealedMachine, socket: Path, runtime: FakeRuntime) -> None:
    command = [*COMMAND, "prove", "--socket", str(socket), "--state-socket", str(machine.control)]
    told = subprocess.run([*command, "--json"], env=ENV, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (1, "")
    report = json.loads(told.stdout)
    assert report["passed"] is False
    assert [check["name"] for check in report["checks"]] == NAMES
    assert [check["passed"] for check in report["checks"]][:4] == [True] * 4
    assert report["checks"][3]["looks"] == [
        {"command": "cat /sys/kernel/security/lockdown", "answer": "none [integrity] confidentiality"}
    ]
    shown = subprocess.run(command, env=ENV, capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stderr) == (1, "")
    assert "FAILED: Nothing keeps me from opening a network socket." in shown.stdout
