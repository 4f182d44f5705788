"""The one door to other programs.

Programs get an argument list, never a shell line; standard input is closed unless there is something to say; a
program that is waited for dies with us. A failure is a `ToolError` that shows the command as it can be pasted into a
shell, and the last lines that the program wrote.
"""

import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.errors import ToolError

TAIL_LINES = 15


@dataclass(frozen=True)
class Completed:
    """A program that ended: its exit status and what it wrote (text; stderr may be merged into stdout)."""

    returncode: int
    stdout: str
    stderr: str


def tool(name: str, *, purpose: str, hint: str) -> Path:
    """Find a program on PATH, or say what it is needed for and how to get it."""
    found = shutil.which(name)
    if found is None:
        raise ToolError(f"{name} is not installed; it is needed {purpose}", hint=hint)
    return Path(found)


def run(
    argv: Sequence[str],
    *,
    check: bool = True,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    hint: str = "",
    timeout_s: float | None = None,
) -> Completed:
    """Run a program to its end and return what it wrote.

    With `check`, a non-zero exit status raises a ToolError with `hint`; so does `timeout_s` running out.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=cwd,
            env=env,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{argv[0]} did not finish within {timeout_s:g} s", hint=_replay(argv)) from error
    if check and done.returncode != 0:
        raise _failure(argv, done.returncode, (done.stderr or done.stdout).splitlines(), hint)
    return Completed(done.returncode, done.stdout, done.stderr)


def run_logged(
    argv: Sequence[str],
    log_file: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = lambda line: None,
) -> None:
    """Run a long program, append its output to `log_file`, and hand each line on as it comes.

    A failure raises a ToolError that names the log file and shows its end. When we are interrupted, or `on_line`
    raises, the program is asked to stop and waited for, so that it can clean up after itself.
    """
    lines: list[str] = []
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("a") as log:
        log.write(f"$ {_replay(argv)}\n")
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=cwd,
            env=env,
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    log.write(line)
                    log.flush()
                    lines = [*lines[1 - TAIL_LINES :], line.rstrip("\n")]
                    on_line(line.rstrip("\n"))
            except BaseException:
                process.terminate()
                process.stdout.read()
                process.wait()
                raise
    if process.returncode != 0:
        raise _failure(argv, process.returncode, lines, f"The whole output is in {log_file}")


def start(argv: Sequence[str], *, output: Path, pass_fds: Sequence[int] = ()) -> "subprocess.Popen[bytes]":
    """Start a program that runs beside us (a machine, a TPM), its output going to a file."""
    with output.open("ab") as sink:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, pass_fds=pass_fds
        )


def interact(argv: Sequence[str]) -> int:
    """Run a program on the person's own terminal and return its exit status."""
    return subprocess.run(argv, check=False).returncode


def _replay(argv: Sequence[str]) -> str:
    return shlex.join(argv)


def _failure(argv: Sequence[str], returncode: int, lines: Sequence[str], hint: str) -> ToolError:
    tail = "\n".join(f"  {line}" for line in lines[-TAIL_LINES:])
    message = f"{argv[0]} failed with status {returncode}:\n{tail}\n  command: {_replay(argv)}"
    return ToolError(message, hint=hint)
