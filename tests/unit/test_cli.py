"""The command line as a whole: quick to start, one message for a mistake, and an exit code that says whose it was."""

import subprocess
import sys
import time
from pathlib import Path

import pytest


def claudineos(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "builder.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_help_names_every_verb_without_loading_any() -> None:
    started = time.process_time()
    done = claudineos("--help")
    assert done.returncode == 0
    for verb in ("build", "explain", "flash", "keys", "profile", "render", "run", "test", "verify"):
        assert f"\n  {verb} " in done.stdout
    assert time.process_time() - started < 0.4
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, builder.cli; print(sorted(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pydantic" not in loaded.stdout


MISTAKES = [
    (["biuld"], "No such command 'biuld'"),
    (["profile", "show", "qemuu"], "Did you mean qemu?"),
    (["profile", "check", "missing.yaml"], "missing.yaml: there is no such file"),
    (["explain", "qemu", "KernelComandLine"], "Did you mean KernelCommandLine?"),
    (["keys", "show", "nowhere"], "nowhere"),
    (["build", "--keys", "nowhere"], "nowhere"),
    (["run", "nowhere.raw"], "nowhere.raw"),
    (["run"], "claudineos build"),
    (["test"], "claudineos build"),
    (["flash", "nowhere.raw", "/dev/nowhere"], "there is no disk /dev/nowhere"),
    (["flash", "nowhere.raw", "."], "claudineos flash --list"),
    (["test", "nowhere.raw"], "nowhere.raw"),
    (["verify", "nowhere.raw"], "nowhere.raw"),
]


@pytest.mark.parametrize(("arguments", "told"), MISTAKES)
def test_a_mistake_gets_one_message_and_leaves_nothing(arguments: list[str], told: str, tmp_path: Path) -> None:
    done = claudineos(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    done = claudineos("render", "qemu", "--output", "/proc/tree", cwd=tmp_path)
    assert done.returncode == 3
    assert "/proc" in done.stderr
    assert "Traceback" not in done.stderr


def test_rendering_writes_a_tree_and_prints_its_path(tmp_path: Path) -> None:
    done = claudineos("render", "qemu", cwd=tmp_path)
    assert done.stdout == "build/qemu/mkosi\n"
    assert (tmp_path / "build/qemu/mkosi/mkosi.conf").is_file()
