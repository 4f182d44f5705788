"""The shell's protocol, with the very script that the guest's unit runs at the other end of the line."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.vm import shell as shell_module
from builder.vm.shell import SERVE_PORT, GuestShell, ShellTimeoutError


@pytest.fixture
def line(tmp_path: Path) -> Iterator[socket.socket]:
    """The host's end of a line that a real /bin/sh serves."""
    host, guest = socket.socketpair()
    with host, guest:
        # The guest opens a device as descriptor 3; here it is the one that dash can be given.
        script = f"exec 3<&0 </dev/null\n{SERVE_PORT}"
        environment = {"PATH": os.environ["PATH"], "RUNTIME_DIRECTORY": str(tmp_path)}
        with subprocess.Popen(["/bin/sh", "-c", script], stdin=guest.fileno(), env=environment) as guest_shell:
            guest.close()
            yield host
            host.close()
            guest_shell.kill()


@pytest.fixture
def shell(line: socket.socket) -> GuestShell:
    shell = GuestShell(line)
    shell.wait_until_ready(10)
    return shell


@pytest.mark.parametrize(
    ("command", "returncode", "stdout", "stderr"),
    [
        ("true", 0, "", ""),
        ("echo hello", 0, "hello\n", ""),
        ("echo out; echo err >&2; exit 3", 3, "out\n", "err\n"),
        ("printf 'no newline'", 0, "no newline", ""),
        ("echo one\necho two", 0, "one\ntwo\n", ""),
        ("printf '%s\\n' 'a  \"b\" $HOME `c` %d \\n é'", 0, 'a  "b" $HOME `c` %d \\n é\n', ""),
        ("cat", 0, "", ""),
        ("kill -TERM $$", 143, "", None),
        ("exit 124", 124, "", ""),
        ("ls /proc/self/fd", 0, "0\n1\n2\n3\n", ""),
        ("pwd", 0, "/\n", ""),
        ("if", 2, "", None),
    ],
)
def test_a_command_comes_back_with_what_it_did(
    shell: GuestShell, command: str, returncode: int, stdout: str, stderr: str | None
) -> None:
    done = shell.run(command, 10)
    assert (done.returncode, done.stdout) == (returncode, stdout)
    if stderr is not None:
        assert done.stderr == stderr


def test_binary_data_and_long_output_survive(shell: GuestShell) -> None:
    assert shell.run_binary(r"printf '\000\001\377\n\r\n'").stdout == b"\0\1\xff\n\r\n"
    assert len(shell.run_binary("head -c 3000000 /dev/zero").stdout) == 3_000_000


def test_a_long_command_survives(shell: GuestShell) -> None:
    assert shell.run(f"printf %s {'x' * 100_000} | wc -c", 30).stdout.strip() == "100000"


def test_a_command_that_does_not_end_is_ended_and_the_next_one_works(shell: GuestShell) -> None:
    started = time.monotonic()
    with pytest.raises(ShellTimeoutError, match=r"within 0\.5 s: sleep 60"):
        shell.run("sleep 60", 0.5)
    assert time.monotonic() - started < 5
    assert shell.run("echo next").stdout == "next\n"


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_module, "GRACE_S", 0.0)
    monkeypatch.setattr(shell_module, "KILL_AFTER_S", 0.0)
    host, guest = socket.socketpair()
    with host, guest:
        shell = GuestShell(host)
        with pytest.raises(ShellTimeoutError):
            shell.run("slow", 0.01)
        late = guest.recv(1000).split()[0]
        guest.sendall(late + b" 0 bGF0ZQo= \n" + b"noise\n" + b"a b c\n")
        with pytest.raises(ShellTimeoutError):
            shell.run("next", 0.01)


def test_waiting_calls_back_and_what_it_raises_ends_the_wait(line: socket.socket) -> None:
    shell = GuestShell(line)
    shell.wait_until_ready(10)

    def machine_has_failed() -> None:
        raise ToolError("the kernel panicked")

    shell.on_tick = machine_has_failed
    with pytest.raises(ToolError, match="the kernel panicked"):
        shell.run("sleep 5")


def test_a_guest_that_restarts_is_noticed() -> None:
    host, guest = socket.socketpair()
    with host, guest:
        guest.sendall(b"ready\nready\n")
        shell = GuestShell(host)
        shell.wait_until_ready(1)
        with pytest.raises(ToolError, match="started anew while it ran: echo a"):
            shell.run("echo a")


def test_a_machine_that_ends_is_noticed() -> None:
    host, guest = socket.socketpair()
    with host, guest:
        guest.close()
        with pytest.raises(ToolError, match="has gone"):
            GuestShell(host).wait_until_ready(1)
        with pytest.raises(ToolError, match="has gone"):
            GuestShell(host).run("true")


def test_a_shell_that_never_comes_ends_the_wait() -> None:
    host, guest = socket.socketpair()
    with host, guest, pytest.raises(ShellTimeoutError, match=r"not there within 0\.1 s"):
        GuestShell(host).wait_until_ready(0.1)
