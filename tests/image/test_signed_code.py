"""Only signed code runs: root itself tries to run, load and map what is not on the signed root.

The first wall, memory and disks mounted noexec, is taken down first: root may do that. What is left is the kernel's
rule that code comes from a signed verity device (systemd's RestrictFileSystemAccess=).
"""

from collections.abc import Iterator
from typing import Any

import pytest

from builder.vm.machine import Machine

PLACES = ("/run", "/tmp", "/dev/shm", "/var")
NOT_PERMITTED = "Operation not permitted"
# In C's terms; Python is signed code, and its ctypes calls the kernel as any program would.
LIBC = """
import ctypes, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
R, W, X = mmap.PROT_READ, mmap.PROT_WRITE, mmap.PROT_EXEC
PRIVATE, ANONYMOUS = mmap.MAP_PRIVATE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
RETURN = b"\\xc3"
def map(protection, flags=ANONYMOUS, file=-1):
    address = libc.mmap(None, 4096, protection, flags, file, 0)
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return address
def protect(address, protection):
    if libc.mprotect(address, 4096, protection):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
unsigned = os.open("/run/program", os.O_RDONLY)
signed = os.open("/usr/bin/true", os.O_RDONLY)
"""


@pytest.fixture(scope="module", autouse=True)
def first_wall_down(machine: Machine) -> Iterator[None]:
    """Memory and disk may hold programs, and each of them does."""
    for place in PLACES:
        machine.succeed(f"mount -o remount,exec {place} && cp /usr/bin/true {place}/program")
    yield
    for place in PLACES:
        machine.succeed(f"rm -f {place}/program && mount -o remount,noexec {place}")


@pytest.mark.parametrize("place", PLACES)
def test_a_copied_program_does_not_run(host: Any, place: str) -> None:
    refused = host.run(f"{place}/program")
    assert (refused.rc, NOT_PERMITTED in refused.stderr) == (126, True)


def test_it_does_not_run_through_the_dynamic_loader(host: Any) -> None:
    refused = host.run("/lib64/ld-linux-x86-64.so.2 /run/program")
    assert refused.rc == 127
    assert "failed to map segment" in refused.stderr


def test_a_copied_library_is_not_loaded(host: Any) -> None:
    host.check_output("cp /usr/lib/x86_64-linux-gnu/libz.so.1 /run/library.so")
    loaded = host.run("LD_PRELOAD=/run/library.so /usr/bin/true")
    assert "failed to map segment from shared object" in loaded.stderr


def test_a_script_does_not_start_its_interpreter(host: Any) -> None:
    host.check_output("printf '#!/bin/sh\\necho it ran\\n' >/run/script && chmod +x /run/script")
    refused = host.run("/run/script")
    assert (refused.rc, refused.stdout) == (126, "")


def test_a_program_on_a_file_system_of_ones_own_does_not_run(host: Any) -> None:
    """A disk image that root makes and mounts, as from a USB stick that somebody has prepared."""
    host.check_output(
        "mkdir -p /run/tree /run/mounted && cp /usr/bin/true /run/tree/program && truncate -s 4M /var/disk && "
        "modprobe loop && mke2fs -q -t ext4 -d /run/tree /var/disk && mount -o loop,exec /var/disk /run/mounted"
    )
    refused = host.run("/run/mounted/program")
    host.check_output("umount /run/mounted && rm /var/disk")
    assert (refused.rc, NOT_PERMITTED in refused.stderr) == (126, True)


ATTEMPTS = {
    "map an unsigned file for execution": "map(R | X, PRIVATE, unsigned)",
    "make the mapping of an unsigned file executable": "protect(map(R, PRIVATE, unsigned), R | X)",
    "have memory that is writable and executable": "map(R | W | X)",
    "make memory executable that was written": (
        "page = map(R | W); ctypes.memmove(page, RETURN, 1); protect(page, R | X)"
    ),
    "make a signed program's page executable after changing it": (
        "page = map(R | W, PRIVATE, signed); ctypes.memmove(page, RETURN, 1); protect(page, R | X)"
    ),
    "run a file that is only in memory": (
        "file = os.memfd_create('program'); os.write(file, os.read(unsigned, 1 << 20))\n"
        "os.execve(file, ['program'], {})"
    ),
    "write into the code of a running program": (
        "page = map(R | X, PRIVATE, signed)\n"
        "memory = open('/proc/self/mem', 'r+b', buffering=0); memory.seek(page); memory.write(RETURN)"
    ),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_no_program_can(machine: Machine, attempt: str) -> None:
    machine.succeed(f"cat >/run/attempt.py <<'END'\n{LIBC}\n{attempt}\nEND")
    refused = machine.run("python3 -I /run/attempt.py")
    assert refused.returncode != 0
    error = refused.stderr.splitlines()[-1]
    assert NOT_PERMITTED in error or "Input/output error" in error


def test_the_same_calls_work_for_signed_code(machine: Machine) -> None:
    """So that what is refused above is refused for what it is."""
    machine.succeed(f"cat >/run/attempt.py <<'END'\n{LIBC}\nmap(R | X, PRIVATE, signed); map(R | W)\nEND")
    machine.succeed("python3 -I /run/attempt.py")


def test_a_script_can_still_be_fed_to_an_interpreter(host: Any) -> None:
    """What docs/security.md says about it: sh and Python are signed, and run what they are given."""
    assert host.check_output("echo echo fed | sh") == "fed"
