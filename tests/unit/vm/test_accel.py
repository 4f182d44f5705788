from pathlib import Path

import pytest

from builder.toolchain import Toolchain
from builder.vm import accel
from builder.vm.accel import choose_accelerator, probe_kvm
from tests.unit.vm.conftest import FakeTool

REACHES_BDS = """
serial = next(a for a in arguments if a.startswith("file:")).removeprefix("file:")
pathlib.Path(serial).write_text("\\x1b[2JBdsDxe: No bootable option or device was found.\\r\\n")
time.sleep(60)
"""
REFUSES = "sys.exit('qemu-system-x86_64: -accel kvm: System Management Mode not supported by this hypervisor.')"
FAILS_INSIDE = "print('KVM internal error. Suberror: 1\\nEAX=0', file=sys.stderr, flush=True); time.sleep(60)"
HANGS = "time.sleep(60)"


@pytest.mark.parametrize(
    ("behaviour", "name", "reason"),
    [
        (REACHES_BDS, "kvm", "a probe started the firmware"),
        (REFUSES, "tcg", "-accel kvm: System Management Mode not supported by this hypervisor"),
        (FAILS_INSIDE, "tcg", "KVM internal error"),
        (HANGS, "tcg", "did not start under KVM within"),
    ],
)
def test_kvm_is_used_only_where_the_firmware_starts_under_it(
    toolchain: Toolchain,
    fake_tool: FakeTool,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: str,
    name: str,
    reason: str,
) -> None:
    fake_tool("qemu-system-x86_64", behaviour)
    monkeypatch.setattr(accel, "PROBE_TIMEOUT_S", 2.0)
    chosen = probe_kvm(toolchain)
    assert chosen.name == name
    assert reason in chosen.reason


def test_the_probe_runs_once_until_the_host_restarts_or_qemu_changes(
    toolchain: Toolchain, fake_tool: FakeTool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    runs.touch()
    fake_tool("qemu-system-x86_64", f"open({str(runs)!r}, 'a').write('x')\n{REFUSES}")
    boot_id = tmp_path / "boot_id"
    boot_id.write_text("one\n")
    monkeypatch.setattr(accel, "BOOT_ID", boot_id)
    device = tmp_path / "kvm"
    device.touch()

    assert choose_accelerator(toolchain, device=device) == choose_accelerator(toolchain, device=device)
    assert runs.read_text() == "x"
    boot_id.write_text("two\n")
    choose_accelerator(toolchain, device=device)
    assert runs.read_text() == "xx"
    qemu = toolchain.tools_tree / "usr/bin/qemu-system-x86_64"
    qemu.parent.mkdir()
    qemu.write_text("another")
    choose_accelerator(toolchain, device=device)
    assert runs.read_text() == "xxx"
    (toolchain.cache / "accelerator.json").write_text("{half")
    choose_accelerator(toolchain, device=device)
    assert runs.read_text() == "xxxx"


def test_without_the_device_nothing_is_probed(
    toolchain: Toolchain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = choose_accelerator(toolchain, device=tmp_path / "kvm")
    assert chosen.name == "tcg"
    assert "tcg,thread=multi" in chosen.arguments()[1]
    assert "machine runs under TCG: this host has no" in capsys.readouterr().err
