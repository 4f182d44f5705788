"""How a machine's failures are noticed: a real QMP connection, a real serial log, a real process."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.vm import watch as watch_module
from builder.vm.qmp import Qmp, QmpError
from builder.vm.serial_log import SerialLog
from builder.vm.watch import MachineError, Watch
from tests.support.qmp_server import QmpServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[QmpServer]:
    server = QmpServer(tmp_path / "qmp")
    yield server
    server.close()


@pytest.fixture
def qmp(server: QmpServer, tmp_path: Path) -> Iterator[Qmp]:
    qmp = Qmp(tmp_path / "qmp")
    yield qmp
    qmp.close()


@pytest.fixture
def qemu() -> "Iterator[subprocess.Popen[bytes]]":
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.fixture
def watch(qemu: "subprocess.Popen[bytes]", qmp: Qmp, tmp_path: Path) -> Watch:
    (tmp_path / "qemu.log").touch()
    return Watch(qemu, qmp, SerialLog(tmp_path / "serial.log"), tmp_path / "qemu.log")


def test_a_command_gets_its_value_and_a_refusal_its_reason(server: QmpServer, qmp: Qmp) -> None:
    server.answers["screendump"] = {"fine": True}
    assert qmp.execute("screendump", filename="/a.png") == {"fine": True}
    assert server.commands[-1]["arguments"] == {"filename": "/a.png"}
    with pytest.raises(QmpError, match="QEMU refused nonsense: no such thing"):
        qmp.execute("nonsense")


def test_events_before_the_end_are_not_lost(server: QmpServer, qmp: Qmp) -> None:
    assert qmp.poll() == []
    server.emit("SHUTDOWN", guest=True, reason="guest-shutdown")
    server.close()
    (event,) = qmp.poll()
    assert (event.name, event.data["reason"]) == ("SHUTDOWN", "guest-shutdown")
    assert qmp.status() == ""


def test_nobody_at_the_monitor_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(QmpError, match="does not answer"):
        Qmp(tmp_path / "nobody")


def test_a_machine_that_is_well_is_left_alone(server: QmpServer, watch: Watch) -> None:
    server.emit("RESET", guest=True, reason="guest-reset")
    server.emit("RESET", guest=False, reason="host-qmp-system-reset")
    server.emit("VSERPORT_CHANGE", id="shell", open=True)
    watch.check()
    assert watch.resets == 1


@pytest.mark.parametrize(
    ("events", "status", "failure"),
    [
        ([("RESET", {"guest": True})] * 3, "running", "restarts again and again"),
        ([("GUEST_PANICKED", {})], "guest-panicked", "the guest panicked"),
        ([("BLOCK_IO_ERROR", {"nospace": True})], "io-error", "the host's disk is full"),
        ([("BLOCK_IO_ERROR", {"reason": "Input/output error"})], "running", "disk failed: Input/output error"),
        ([("STOP", {})], "internal-error", "an error of its own"),
    ],
)
def test_what_qemu_reports_ends_the_wait(
    server: QmpServer, watch: Watch, events: list[tuple[str, dict[str, object]]], status: str, failure: str
) -> None:
    server.answers["query-status"] = {"status": status}
    for name, data in events:
        server.emit(name, **data)
    with pytest.raises(MachineError, match=failure):
        watch.check()


def test_a_panic_on_the_serial_line_ends_the_wait(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "serial.log").write_text("[    2.1] Kernel panic - not syncing: no init\n")
    started = time.monotonic()
    with pytest.raises(MachineError, match="the kernel panicked"):
        watch.until("the end of days", lambda: None, timeout_s=60)
    assert time.monotonic() - started < 5


def test_the_end_of_qemu_ends_the_wait_with_its_last_words(
    watch: Watch, qemu: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    (tmp_path / "qemu.log").write_text("swtpm: bye\nqemu-system-x86_64: could not write\n")
    qemu.kill()
    qemu.wait()
    with pytest.raises(MachineError, match=r"the machine ended .*: qemu-system-x86_64: could not write"):
        watch.check()


def test_time_that_runs_out_names_what_was_waited_for(watch: Watch) -> None:
    with pytest.raises(MachineError, match=r"the model being loaded did not happen within 0\.1 s"):
        watch.until("the model being loaded", lambda: None, timeout_s=0.1, every_s=0.05)


def test_what_comes_is_returned_and_reported(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(watch_module, "REPORT_EVERY_S", 0.0)
    (tmp_path / "serial.log").write_text("BdsDxe: starting Boot0001\n")
    looks = iter([None, "it is here"])
    assert watch.until("something", lambda: next(looks), timeout_s=5, every_s=0.01) == "it is here"
    assert "boot loader: BdsDxe: starting Boot0001" in capsys.readouterr().err
