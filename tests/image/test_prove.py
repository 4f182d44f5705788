"""The owner's own proof: it holds on the image as it ships, and fails when a fact changes."""

import errno
import json
from collections.abc import Iterator
from typing import Any

import pytest

from builder.image import Artifacts
from builder.vm.disk_image import DiskImage
from builder.vm.headless import runtime_unit
from builder.vm.machine import Machine

CLIENT, OTHER_CLIENT = "claudine-client@tty1.service", "claudine-client@ttyS0.service"
RECORD = "/usr/share/claudine/model.json"
CHECKS = {"secure-boot", "root", "signer", "kernel", "network", "sockets", "connecting", "model"}
AS_CLIENT = "setpriv --reuid=claudine --regid=claudine --clear-groups"

Report = dict[str, Any]


def main_pid(host: Any, unit: str) -> str:
    return str(host.check_output(f"systemctl show --property=MainPID --value {unit}"))


def namespace(host: Any, unit: str) -> str:
    return str(host.check_output(f"readlink /proc/{main_pid(host, unit)}/ns/net"))


def prove(machine: Machine, host: Any, *, where: str | None = CLIENT) -> tuple[int, dict[str, Report]]:
    """Run it as the client does: as the same user and, unless *where* is None, in the same network."""
    machine.wait_until_succeeds("claudine status")
    inside = f"nsenter --target {main_pid(host, where)} --net " if where else ""
    done = machine.run(f"{inside}{AS_CLIENT} claudine prove --json", timeout_s=300)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["passed"] == (done.returncode == 0)
    return done.returncode, {check["name"]: check for check in report["checks"]}


def failed(checks: dict[str, Report]) -> list[str]:
    return [name for name, check in checks.items() if not check["passed"]]


def answers(check: Report) -> str:
    return "\n".join(look["answer"] for look in check["looks"])


@pytest.fixture(scope="module")
def runtime(machine: Machine) -> str:
    """The unit of the model in use."""
    return runtime_unit(machine)


@pytest.fixture(scope="module")
def proven(machine: Machine, host: Any) -> dict[str, Report]:
    code, checks = prove(machine, host)
    assert (code, failed(checks)) == (0, []), checks
    return checks


def test_every_promise_is_proven(proven: dict[str, Report]) -> None:
    assert set(proven) == CHECKS


def test_it_shows_the_root_hash_and_the_certificate_of_the_build(proven: dict[str, Report], image: DiskImage) -> None:
    artifacts = Artifacts.read(image.path.parent)
    assert artifacts.root_hash in answers(proven["root"])
    assert artifacts.certificates["verity"].sha256 in answers(proven["signer"])


def test_the_model_and_the_clients_are_in_one_network(host: Any, runtime: str, proven: dict[str, Report]) -> None:
    inode = namespace(host, runtime)
    assert inode == namespace(host, CLIENT) == namespace(host, OTHER_CLIENT)
    assert inode != host.check_output("readlink /proc/1/ns/net")
    assert answers(proven["network"]).splitlines()[1:3] == [inode, inode]
    assert answers(proven["connecting"]).splitlines()[0] == inode


def test_nothing_was_ever_sent(host: Any, runtime: str, proven: dict[str, Report]) -> None:
    dev = host.check_output(f"cat /proc/{main_pid(host, runtime)}/net/dev").splitlines()[2:]
    assert [line.split()[0] for line in dev] == ["lo:"]
    assert dev[0].split()[9] == "0"
    assert "0 bytes were sent" in proven["network"]["meaning"]


def test_each_attempt_to_connect_out_is_refused_by_the_network_itself(proven: dict[str, Report]) -> None:
    tried = answers(proven["connecting"]).splitlines()[1:]
    assert len(tried) == 4
    for line in tried:
        assert line.endswith((": Network is unreachable", ": Cannot assign requested address"))
    assert "Address family not supported" in answers(proven["sockets"])


def test_the_facts_of_the_status_line_are_the_same(machine: Machine, host: Any) -> None:
    inside = f"nsenter --target {main_pid(host, CLIENT)} --net {AS_CLIENT}"
    facts = json.loads(machine.succeed(f"{inside} claudine status --json"))["facts"]
    assert facts["line"] == "LOCAL: only lo, no route, 0 bytes sent"


def test_a_service_that_is_started_anew_is_in_the_same_network(machine: Machine, host: Any, runtime: str) -> None:
    inode = namespace(host, CLIENT)
    machine.succeed(f"systemctl restart {OTHER_CLIENT}")
    assert namespace(host, OTHER_CLIENT) == inode
    machine.succeed(f"systemctl restart {runtime}")
    assert namespace(host, runtime) == inode
    machine.wait_until_succeeds("claudine status")


def test_what_is_shared_with_the_network_cannot_be_used(host: Any) -> None:
    """JoinsNamespaceOf= shares System V memory too. shmget (29) of no bytes is invalid for whoever may ask."""
    ask = "import ctypes; l = ctypes.CDLL(None, use_errno=True); l.syscall(29, 0, 0, 512); print(ctypes.get_errno())"
    run = "systemd-run --quiet --wait --pipe"
    assert int(host.check_output(f"{run} python3 -I -c '{ask}'")) == errno.EINVAL
    for unit in (CLIENT, "claudine-connect@x.service"):
        listed = host.check_output(f"systemctl show --property=SystemCallFilter --value {unit}")
        options = f"--property='SystemCallFilter={listed}' --property=SystemCallErrorNumber=EPERM"
        assert int(host.check_output(f"{run} {options} python3 -I -c '{ask}'")) == errno.EPERM


def test_only_the_client_may_ask(host: Any) -> None:
    for name in ("control", "evidence", "connect"):
        socket = host.file(f"/run/claudine-state/{name}.sock")
        assert (socket.is_socket, socket.user, socket.group, socket.mode) == (True, "claudine", "claudine", 0o600)


# From here on a fact is changed, as root can, and the proof has to notice.


@pytest.fixture
def another_record(machine: Machine) -> Iterator[None]:
    machine.succeed(f'sed \'s/"sha256": "..../"sha256": "0000/\' {RECORD} >/run/model.json')
    machine.succeed(f"mount --bind /run/model.json {RECORD}")
    yield
    machine.succeed(f"umount {RECORD}")


@pytest.mark.usefixtures("another_record")
def test_a_model_that_is_not_the_recorded_one_is_named(machine: Machine, host: Any) -> None:
    code, checks = prove(machine, host)
    assert (code, failed(checks)) == (1, ["model"])
    assert "SmolLM2 135M Instruct" in checks["model"]["meaning"]


def test_whoever_is_in_another_network_is_told(machine: Machine, host: Any) -> None:
    code, checks = prove(machine, host, where=None)
    assert (code, failed(checks)) == (1, ["network", "connecting"])


def test_a_network_socket_that_can_be_had_is_told(machine: Machine, host: Any, unrestricted: str) -> None:
    inside = f"nsenter --target {main_pid(host, CLIENT)} --net {AS_CLIENT}"
    done = machine.run(f"{unrestricted} {inside} claudine prove --json", timeout_s=300)
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert (done.returncode, failed(checks)) == (1, ["sockets"])
