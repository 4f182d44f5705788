"""A toolchain whose programs are small scripts, and disk images of a few sectors."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.toolchain import Mkosi, Toolchain, ToolsTree
from tests.support.gpt_image import gpt_image

# Runs what follows `--`, as a child that it waits for: mkosi's box does the same.
BOX = """#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
"$@" &
trap 'kill $!' TERM
wait $!
"""
FakeTool = Callable[[str, str], Path]


@pytest.fixture
def fake_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTool:
    """Put a program on PATH: its name, and a Python script that gets `arguments`."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")

    def put(name: str, script: str) -> Path:
        program = place / name
        program.write_text(f"#!{sys.executable} -I\nimport sys, time, pathlib\narguments = sys.argv[1:]\n{script}")
        program.chmod(0o755)
        return program

    return put


@pytest.fixture
def toolchain(tmp_path: Path) -> Toolchain:
    mkosi = tmp_path / "box"
    mkosi.write_text(BOX)
    mkosi.chmod(0o755)
    tree, cache = tmp_path / "tree", tmp_path / "cache"
    firmware = tree / "usr/share/OVMF"
    firmware.mkdir(parents=True)
    (firmware / "OVMF_CODE_4M.secboot.fd").write_bytes(b"code")
    (firmware / "OVMF_VARS_4M.fd").write_bytes(b"no keys")
    (firmware / "OVMF_VARS_4M.ms.fd").write_bytes(b"vendor's keys")
    return Toolchain(Mkosi((str(mkosi),), "27.1"), ToolsTree(tree, tree / "lists", "digest"), cache)


@pytest.fixture
def image_file(tmp_path: Path) -> Path:
    file = tmp_path / "claudineos_0.1.0.raw"
    file.write_bytes(gpt_image())
    return file
