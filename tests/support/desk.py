"""A desk on which `claudineos build` runs with stand-ins for mkosi and systemd-repart: a profile, keys, a model."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from builder.keys import create_keys
from tests.support.gguf_file import TEMPLATE, GgufFile

REPOSITORY = Path(__file__).parents[2]
FAKE_MKOSI = Path(__file__).with_name("fake_mkosi.py")
FAKE_REPART = Path(__file__).with_name("fake_repart.py")
WEIGHTS = GgufFile().to_bytes()
LICENCE = b"Do what you like.\n"
PROFILE = """\
schema: 1
name: small
description: A test's own
extends: base
distribution:
  mirror: http://127.0.0.1:1/debian
model:
  name: tiny
"""
MODEL = f"""\
schema: 1
name: tiny
version: "3"
title: Tiny Chat
licence:
  id: LicenseRef-Mine
  text:
    source: {{file: {{path: LICENCE}}}}
    sha256: "{hashlib.sha256(LICENCE).hexdigest()}"
    size_bytes: {len(LICENCE)}
languages: [en]
weights:
  source: {{file: {{path: ../weights.gguf}}}}
  sha256: "{hashlib.sha256(WEIGHTS).hexdigest()}"
  size_bytes: {len(WEIGHTS)}
architecture: llama
parameters: 256
quantisation: Q4_0
context_tokens: 4096
chat_template_sha256: "{hashlib.sha256(TEMPLATE.encode()).hexdigest()}"
kv_bytes_per_token: 256
compute_bytes: 72876800
"""
PARTITIONS = [
    {"name": "esp", "type": "T", "uuid": "U", "start": 2048, "size": 8},
    {"name": "claudineos_0.1.0", "type": "R", "uuid": "V", "start": 4096, "size": 16},
]
TABLE = {"partitiontable": {"sectorsize": 512, "partitions": PARTITIONS}}
# What stands in for the programs that unpack the image's file systems.
UNPACK_ROOT = """\
#!/bin/sh
for argument; do
    case $argument in
    --extract=*)
        mkdir -p "${argument#*=}/etc"
        echo claudine >"${argument#*=}/etc/hostname"
        echo base >"${argument#*=}/etc/base"
        ;;
    esac
done
"""
UNPACK_ESP = "#!/bin/sh\n"


@dataclass(frozen=True)
class Desk:
    """A directory with a profile, keys and a stand-in for mkosi on PATH."""

    directory: Path
    environment: dict[str, str]

    @property
    def out(self) -> Path:
        return self.directory / "build/small/out"

    @property
    def lock(self) -> Path:
        return self.directory / "small.lock"

    def command(self, *options: str) -> list[str]:
        keys = str(self.directory / "keys")
        return [sys.executable, "-m", "builder.cli", "build", "./small.yaml", "--keys", keys, *options]

    def build(self, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.command(*options), **environment)

    def write_lock(self, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run([sys.executable, "-m", "builder.cli", "lock", "./small.yaml", *options], **environment)

    def run(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.directory,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def image_builds(self) -> int:
        calls = (self.directory / "calls").read_text().splitlines()
        return sum("--output-directory" in call for call in calls)

    def tools_builds(self) -> int:
        return len((self.directory / "calls").read_text().splitlines()) - self.image_builds()

    def leftovers(self) -> list[str]:
        """Everything in the build directory that is not an artifact, the tree or the log."""
        expected = {"out", "mkosi", "mkosi.log", "lock"}
        return [path.name for path in (self.directory / "build/small").iterdir() if path.name not in expected]


def lay_desk(directory: Path) -> Desk:
    environment = {
        **os.environ,
        "PATH": f"{directory / 'bin'}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(directory / "cache"),
        "FAKE_MKOSI_CALLS": str(directory / "calls"),
        "PYTHONPATH": str(REPOSITORY),
    }
    return Desk(directory, environment)


def furnish_desk(directory: Path) -> Desk:
    """Lay all that a build needs into an empty directory."""
    desk = lay_desk(directory)
    programs = directory / "bin"
    programs.mkdir()
    shutil.copy(FAKE_MKOSI, programs / "mkosi")
    sfdisk = programs / "sfdisk"
    sfdisk.write_text(f"#!/bin/sh\necho '{json.dumps(TABLE)}'\n")
    shutil.copy(FAKE_REPART, programs / "systemd-repart")
    (programs / "fsck.erofs").write_text(UNPACK_ROOT)
    (programs / "mcopy").write_text(UNPACK_ESP)
    for program in programs.iterdir():
        program.chmod(0o755)
    (directory / "small.yaml").write_text(PROFILE)
    (directory / "weights.gguf").write_bytes(WEIGHTS)
    (directory / "models").mkdir()
    (directory / "models/tiny.yaml").write_text(MODEL)
    (directory / "models/LICENCE").write_bytes(LICENCE)
    create_keys(directory / "keys", "Test")
    return desk
