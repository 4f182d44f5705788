"""What runs beside us ends with us, however we end."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builder.toolchain import Toolchain
from builder.vm.lifeline import end, start_tied, wait

STARTER = """
import sys, time
from pathlib import Path
from builder.toolchain import Mkosi, Toolchain, ToolsTree
from builder.vm.lifeline import start_tied
toolchain = Toolchain(Mkosi((sys.argv[1],), "27.1"), ToolsTree(Path("/"), Path("/"), ""), Path("/"))
start_tied(toolchain, ["sh", "-c", "echo $$; exec sleep 60"], output=Path(sys.argv[2]))
time.sleep(60)
"""


def pid_written_to(file: Path) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if file.exists() and file.read_text().endswith("\n"):
            return int(file.read_text())
        time.sleep(0.05)
    raise AssertionError("the program did not start")


def is_running(pid: int) -> bool:
    """Say whether a program runs; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_ends_when_we_are_killed(toolchain: Toolchain, tmp_path: Path, how: signal.Signals) -> None:
    output = tmp_path / "output"
    with subprocess.Popen([sys.executable, "-c", STARTER, toolchain.mkosi.program[0], str(output)]) as starter:
        pid = pid_written_to(output)
        assert is_running(pid)
        starter.send_signal(how)
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)


@pytest.mark.parametrize("script", ["exec sleep 60", "trap '' TERM; while :; do sleep 1; done"])
def test_a_program_ends_when_it_is_asked_to_and_when_it_will_not(
    toolchain: Toolchain, tmp_path: Path, script: str
) -> None:
    output = tmp_path / "output"
    process = start_tied(toolchain, ["sh", "-c", f"echo $$; {script}"], output=output)
    pid = pid_written_to(output)
    end(process, patience_s=0.5)
    assert wait(process, 0)
    deadline = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)
