"""The kernel's settings are in force, not only written down."""

from pathlib import Path
from typing import Any

import pytest

from builder.render import OVERLAYS_DIR
from builder.vm.machine import Machine

SYSCTL = OVERLAYS_DIR / "hardening/usr/lib/sysctl.d/50-claudineos.conf"


def sysctls(file: Path) -> list[tuple[str, str]]:
    settings = [line.partition("=") for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return [(name.strip(), value.strip()) for name, _, value in settings]


@pytest.mark.parametrize(("name", "value"), sysctls(SYSCTL), ids=lambda text: text)
def test_the_kernel_variable_has_the_value(host: Any, name: str, value: str) -> None:
    assert host.file(f"/proc/sys/{name.replace('.', '/')}").content_string.strip() == value


def test_the_kernel_is_locked_down(host: Any) -> None:
    assert "[integrity]" in host.file("/sys/kernel/security/lockdown").content_string


def test_bpf_is_among_the_security_modules(host: Any) -> None:
    assert {"bpf", "lockdown", "yama", "landlock"} <= set(
        host.file("/sys/kernel/security/lsm").content_string.split(",")
    )


def test_fresh_memory_is_cleared(host: Any) -> None:
    assert "heap alloc:on" in host.check_output("journalctl --boot --dmesg --output=cat --grep='mem auto-init'")


def test_kinds_of_kernel_objects_are_not_merged(host: Any) -> None:
    # A merged cache is a link to the one it shares.
    assert host.check_output("find /sys/kernel/slab -maxdepth 1 -type l") == ""


def test_there_is_no_page_at_a_fixed_address(host: Any) -> None:
    assert "vsyscall" not in host.file("/proc/self/maps").content_string


def test_a_stumbling_kernel_restarts(host: Any) -> None:
    assert [host.file(f"/proc/sys/kernel/{name}").content_string.strip() for name in ("panic_on_oops", "panic")] == [
        "1",
        "30",
    ]


def test_kernel_debugging_cannot_be_mounted(host: Any) -> None:
    assert host.run("mount -t debugfs none /run/mounted").rc != 0


def test_physical_memory_cannot_be_read(host: Any) -> None:
    assert "Operation not permitted" in host.run("head -c 1 /dev/mem").stderr


def test_no_other_kernel_can_be_started(machine: Machine) -> None:
    # kexec_file_load (320) with no files at all: refused before it looks at them.
    call = "import ctypes, os; l = ctypes.CDLL(None, use_errno=True); l.syscall(320, -1, -1, 0, 0, 0)"
    error = machine.succeed(f"python3 -I -c '{call}; print(os.strerror(ctypes.get_errno()))'")
    assert error.strip() == "Operation not permitted"


def test_a_changed_kernel_module_is_not_loaded(machine: Machine) -> None:
    change = (
        "import glob, lzma; module = bytearray(lzma.open(glob.glob("
        '"/usr/lib/modules/*/kernel/fs/nls/nls_iso8859-1.ko.xz")[0]).read())'
        '; module[len(module) // 2] ^= 1; open("/run/changed.ko", "wb").write(module)'
    )
    machine.succeed(f"python3 -I -c '{change}'")
    assert "Key was rejected by service" in machine.run("insmod /run/changed.ko").stderr


def test_a_crash_leaves_nothing_behind(machine: Machine) -> None:
    machine.run("cd /var/tmp && ulimit -c unlimited; sh -c 'kill -SEGV $$'")
    assert machine.succeed("find /var /run /tmp -xdev -name '*core*' -type f") == ""


def test_a_fork_bomb_ends_with_its_unit(host: Any) -> None:
    assert int(host.check_output("systemctl show --property=DefaultTasksMax --value")) <= 512
