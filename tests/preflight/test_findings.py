"""What will not work on a machine, and what it is told."""

from collections.abc import Callable

import pytest

from claudine_preflight import voice
from claudine_preflight.findings import Finding, Kind, judge
from claudine_preflight.machine import look
from tests.preflight.simulated_hardware import GIB, POWER_BUTTON, V2, SimulatedHardware

Change = Callable[[SimulatedHardware], object]


def findings(hardware: SimulatedHardware, *, has_keys: bool | None = True) -> tuple[Finding, ...]:
    return judge(look(hardware.host, has_keys=has_keys))


def test_a_good_machine_has_everything(hardware: SimulatedHardware) -> None:
    assert findings(hardware) == ()
    machine = look(hardware.host, has_keys=True)
    assert voice.report(machine, ()).endswith(f"\n{voice.ALL_WELL}\n")


def no_tpm(hardware: SimulatedHardware) -> None:
    for path in ("tpm_version_major", "pcr-sha256/7"):
        hardware.take(f"sys/class/tpm/tpm0/{path}")
    for directory in ("tpm0/pcr-sha256", "tpm0"):
        (hardware.host.root / "sys/class/tpm" / directory).rmdir()


def full_disk(hardware: SimulatedHardware) -> None:
    hardware.put("sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1/size", f"{2 * GIB // 512 + 2048}\n")


def hot(hardware: SimulatedHardware) -> None:
    hardware.sensor("acpitz", 96000)


CHANGES: list[tuple[Change, list[Finding]]] = [
    (lambda it: it.efi_flag("SetupMode", True), [Finding(Kind.SETUP_MODE)]),
    (lambda it: it.efi_flag("SecureBoot", False), [Finding(Kind.FOREIGN_KEYS)]),
    (
        lambda it: it.take("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"),
        [Finding(Kind.SECURE_BOOT_UNKNOWN)],
    ),
    (no_tpm, [Finding(Kind.NO_TPM)]),
    (lambda it: it.put("sys/class/tpm/tpm0/tpm_version_major", "1\n"), [Finding(Kind.OLD_TPM, "1.2")]),
    (lambda it: it.take("sys/class/tpm/tpm0/pcr-sha256/7"), [Finding(Kind.NO_SHA256)]),
    (
        lambda it: it.failing.update({"systemd-creds encrypt": "TPM is in lockout mode."}),
        [Finding(Kind.SEAL_FAILED, "systemd-creds: TPM is in lockout mode.")],
    ),
    (lambda it: it.memory(GIB), [Finding(Kind.LITTLE_MEMORY)]),
    (full_disk, [Finding(Kind.LITTLE_ROOM, "nvme0n1")]),
    (lambda it: it.inputs(("Power Button", POWER_BUTTON)), [Finding(Kind.NO_KEYBOARD)]),
    (lambda it: it.processor(V2), [Finding(Kind.SLOW_PROCESSOR)]),
    (
        lambda it: it.failing.update({"timeout": "Bad system call"}),
        [Finding(Kind.NO_COMPUTE, "timeout: Bad system call")],
    ),
    (
        lambda it: it.pci("0000:02:00.0", 0x030000, 0x10DE, 0x2504),
        [Finding(Kind.NO_GRAPHICS_DRIVER, "NVIDIA 10de:2504")],
    ),
    (lambda it: it.pci("0000:00:0e.0", 0x010400, 0x8086, 0x467F), [Finding(Kind.HIDDEN_DISKS, "Intel 8086:467f")]),
    (hot, [Finding(Kind.HOT, "acpitz")]),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=[str(found[0].kind) for _, found in CHANGES])
def test_what_is_wrong_is_found_alone_and_said(
    hardware: SimulatedHardware, change: Change, expected: list[Finding]
) -> None:
    change(hardware)
    machine = look(hardware.host, has_keys=True)
    assert list(judge(machine)) == expected
    report = voice.report(machine, expected)
    for finding in expected:
        assert " ".join(voice.sentence(finding, machine).split()) in " ".join(report.split())
    assert voice.ALL_WELL not in report


def test_without_graphics_for_the_model_it_is_said_only_where_they_were_wanted(hardware: SimulatedHardware) -> None:
    hardware.server_says = "Available devices:\n  (none)\n"
    assert findings(hardware) == (Finding(Kind.NO_VULKAN),)
    hardware.put("usr/share/claudine/gpu", "cpu\n")
    assert findings(hardware) == ()


def test_a_disk_that_is_in_use_already_needs_no_room(hardware: SimulatedHardware) -> None:
    full_disk(hardware)
    hardware.partition(
        "nvme0n1", "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1", 4, "claudine-state", 2 * GIB, 2048 * 512
    )
    assert findings(hardware) == ()


def test_keys_that_are_not_on_the_disk_cannot_be_enrolled(hardware: SimulatedHardware) -> None:
    hardware.efi_flag("SetupMode", True)
    assert findings(hardware, has_keys=False) == (Finding(Kind.SETUP_MODE), Finding(Kind.NO_KEYS))


def test_with_a_passphrase_no_tpm_is_missed(hardware: SimulatedHardware) -> None:
    no_tpm(hardware)
    hardware.put("usr/lib/claudine-state/unlock", "passphrase\n")
    assert findings(hardware) == ()
