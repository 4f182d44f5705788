"""KVM where it works, else TCG.

A host can have /dev/kvm, open it, even create a machine, and then fail in the firmware: nested virtualisation
without System Management Mode, for one. So the probe runs what matters, the very firmware that a machine boots with,
and believes in KVM once that firmware has reached its boot device selection. Where KVM does not work it says so in a
second or two; the answer is kept until the host restarts or QEMU changes.
"""

import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from builder import log
from builder.toolchain import Toolchain
from builder.vm.firmware import comma_safe, firmware_arguments, open_firmware, reset_variables
from builder.vm.lifeline import POLL_S, Process, end, start_tied

KVM = Path("/dev/kvm")
# Without AVX and fused multiplication, which TCG emulates bit by bit, the model's SSE code runs: 2.1 instead of 0.3
# tokens per second of prompt, and loading takes 25 s instead of 42 (SmolLM2-135M on two cores).
TCG_CPU = "max,avx=off,avx2=off,fma=off,f16c=off"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PROBE_TIMEOUT_S = 30.0
# OVMF writes this to the serial line when it has initialised the machine and looks for something to boot.
FIRMWARE_IS_UP = "BdsDxe"


@dataclass(frozen=True)
class Accelerator:
    """What runs the guest's instructions: `name` is kvm or tcg; `reason` says why, for a person."""

    name: str
    reason: str

    def arguments(self, processor: str | None = None) -> list[str]:
        """Return QEMU's arguments, for one of its processors or the best there is.

        1 GiB of translated code holds a whole boot, with nothing translated twice.
        """
        if self.name == "kvm":
            return ["-accel", "kvm", "-cpu", processor or "max"]
        return ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", processor or TCG_CPU]


def choose_accelerator(toolchain: Toolchain, *, device: Path = KVM) -> Accelerator:
    """Say what to use on this host, probing KVM if nobody has since the host started."""
    if not device.exists():
        chosen = Accelerator("tcg", f"this host has no {device}")
    elif not os.access(device, os.R_OK | os.W_OK):
        chosen = Accelerator("tcg", f"you may not use {device} (sudo adduser $USER kvm, then log in again)")
    else:
        chosen = _remembered_probe(toolchain)
    log.info(f"machine runs under {chosen.name.upper()}: {chosen.reason}")
    return chosen


def _remembered_probe(toolchain: Toolchain) -> Accelerator:
    memory = toolchain.cache / "accelerator.json"
    question = {"boot_id": BOOT_ID.read_text().strip(), "qemu": _qemu_identity(toolchain)}
    try:
        known = json.loads(memory.read_text())
        if known["question"] == question:
            return Accelerator(**known["answer"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # Never asked, or half-written: ask.
    with log.step("Probing whether KVM works here"):
        answer = probe_kvm(toolchain)
    memory.parent.mkdir(parents=True, exist_ok=True)
    beside = memory.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps({"question": question, "answer": asdict(answer)}))
    beside.replace(memory)
    return answer


def _qemu_identity(toolchain: Toolchain) -> str:
    """Tell one QEMU from another without running it (that takes a second)."""
    try:
        status = (toolchain.tools_tree / "usr/bin/qemu-system-x86_64").stat()
    except OSError:
        return "unknown"
    return f"{status.st_size}-{status.st_mtime_ns}"


def probe_kvm(toolchain: Toolchain) -> Accelerator:
    """Start the firmware under KVM, without a disk, and see how far it gets."""
    firmware = open_firmware(toolchain)
    with tempfile.TemporaryDirectory(prefix="claudineos-kvm-") as name:
        place = Path(name)
        reset_variables(firmware, place / "vars.fd")
        argv = [
            *("qemu-system-x86_64", "-nodefaults", "-display", "none", "-nic", "none", "-no-reboot"),
            *("-accel", "kvm", "-cpu", "max", "-smp", "2", "-m", "256"),
            *firmware_arguments(firmware, place / "vars.fd"),
            *("-serial", f"file:{comma_safe(place / 'serial.log')}"),
        ]
        process = start_tied(toolchain, argv, output=place / "qemu.log")
        try:
            return _await_firmware(process, place / "serial.log", place / "qemu.log")
        finally:
            end(process)


def _await_firmware(process: Process, serial_log: Path, qemu_log: Path) -> Accelerator:
    deadline = time.monotonic() + PROBE_TIMEOUT_S
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        complaint = _last_line(qemu_log)
        if FIRMWARE_IS_UP in _text(serial_log):
            return Accelerator("kvm", "a probe started the firmware under it")
        # QEMU does not end after an internal error: it writes a register dump and pauses.
        if "KVM internal error" in _text(qemu_log):
            return Accelerator("tcg", "KVM failed in the firmware (KVM internal error)")
        if ended:
            return Accelerator("tcg", f"KVM does not start here ({complaint})")
        time.sleep(POLL_S)
    return Accelerator("tcg", f"the firmware did not start under KVM within {PROBE_TIMEOUT_S:.0f} s")


def _text(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""


def _last_line(file: Path) -> str:
    lines = _text(file).strip().splitlines()
    return lines[-1].removeprefix("qemu-system-x86_64: ").removesuffix(".") if lines else "QEMU said nothing"
