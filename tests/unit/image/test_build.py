"""`claudineos build` with a stand-in for mkosi: what is kept, what is done again, and what a failure leaves behind."""

import hashlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from builder.keys import create_keys
from tests.support.gguf_file import TEMPLATE, GgufFile

FAKE_MKOSI = Path(__file__).parents[2] / "support/fake_mkosi.py"
FAKE_REPART = Path(__file__).parents[2] / "support/fake_repart.py"
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
PARTITIONS = {"name": "esp", "type": "T", "uuid": "U", "start": 2048, "size": 8}
TABLE = {"partitiontable": {"sectorsize": 512, "partitions": [PARTITIONS]}}


@dataclass(frozen=True)
class Desk:
    """A directory with a profile, keys and a stand-in for mkosi on PATH."""

    directory: Path
    environment: dict[str, str]

    @property
    def out(self) -> Path:
        return self.directory / "build/small/out"

    def command(self, *options: str) -> list[str]:
        profile, keys = str(self.directory / "small.yaml"), str(self.directory / "keys")
        return [sys.executable, "-m", "builder.cli", "build", profile, "--keys", keys, *options]

    def build(self, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*options),
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
    }
    return Desk(directory, environment)


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = lay_desk(tmp_path_factory.mktemp("desk"))
    directory = desk.directory
    programs = directory / "bin"
    programs.mkdir()
    shutil.copy(FAKE_MKOSI, programs / "mkosi")
    sfdisk = programs / "sfdisk"
    sfdisk.write_text(f"#!/bin/sh\necho '{json.dumps(TABLE)}'\n")
    shutil.copy(FAKE_REPART, programs / "systemd-repart")
    for program in programs.iterdir():
        program.chmod(0o755)
    (directory / "small.yaml").write_text(PROFILE)
    (directory / "weights.gguf").write_bytes(WEIGHTS)
    (directory / "models").mkdir()
    (directory / "models/tiny.yaml").write_text(MODEL)
    (directory / "models/LICENCE").write_bytes(LICENCE)
    create_keys(directory / "keys", "Test")
    assert (done := desk.build()).returncode == 0, done.stderr
    return desk


@pytest.fixture
def built(built_once: Desk, tmp_path: Path) -> Desk:
    """A desk on which the profile has been built."""
    shutil.copytree(built_once.directory, tmp_path, dirs_exist_ok=True, symlinks=True)
    return lay_desk(tmp_path)


@pytest.fixture
def desk(built: Desk) -> Desk:
    """A desk on which nothing has been built yet, though the tools are there."""
    shutil.rmtree(built.directory / "build")
    return built


def test_a_build_leaves_artifacts_sums_and_a_record(desk: Desk) -> None:
    done = desk.build()
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{desk.out}/claudineos_0.1.0.raw\n"
    names = {f"claudineos_0.1.0.{suffix}" for suffix in ("raw", "efi", "manifest", "roothash")}
    assert {path.name for path in desk.out.iterdir()} == names | {"SHA256SUMS", "absence.json", "build.json"}
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=desk.out, check=True, capture_output=True)
    record = json.loads((desk.out / "build.json").read_text())
    sums = "".join(f"{digest}  {name}\n" for name, digest in record["files"].items())
    assert (desk.out / "SHA256SUMS").read_text() == sums
    assert set(record["files"]) == {path.name for path in desk.out.iterdir()} - {"SHA256SUMS", "build.json"}
    assert record["root_hash"] == "ab" * 32
    assert (
        record["partitions"][0] | {"label": "esp", "offset_bytes": 1048576, "size_bytes": 4096}
        == (record["partitions"][0])
    )
    assert record["throwaway_keys"] is False
    image = (desk.directory / "cache/claudineos/models").glob("*/tiny_3.raw")
    assert record["model"] == {
        "id": "tiny_3",
        "name": "tiny",
        "version": "3",
        "licence": "LicenseRef-Mine",
        "weights_sha256": hashlib.sha256(WEIGHTS).hexdigest(),
        "root_hash": "cd" * 32,
        "sha256": hashlib.sha256(content := next(image).read_bytes()).hexdigest(),
        "size_bytes": len(content),
    }
    assert (desk.out / "claudineos_0.1.0.raw").read_bytes().endswith(content), "the model's partition is the last"
    assert "Installing Debian" in done.stderr, "mkosi's steps are shown as they come"


def test_the_record_has_the_owners_certificates_and_nothing_else_of_their_files(desk: Desk) -> None:
    keys = desk.directory / "keys"
    (keys / "db.crt").write_bytes((keys / "db.crt").read_bytes() + (keys / "db.key").read_bytes())
    desk.build()
    certificates = json.loads((desk.out / "build.json").read_text())["certificates"]
    assert list(certificates) == ["PK", "KEK", "db", "verity", "pcr"]
    for role, certificate in certificates.items():
        der = ssl.PEM_cert_to_DER_cert(certificate["pem"])
        assert certificate["sha256"] == hashlib.sha256(der).hexdigest()
        assert (keys / f"{role}.crt").read_text().startswith(certificate["pem"])


def test_no_private_key_is_in_what_a_build_leaves(built: Desk) -> None:
    files = [path for place in ("build", "cache") for path in (built.directory / place).rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if b"PRIVATE KEY" in path.read_bytes()] == []


def test_nothing_is_built_again_unless_something_changed(built: Desk) -> None:
    again = built.build()
    assert "Nothing changed" in again.stderr
    assert again.stdout == f"{built.out}/claudineos_0.1.0.raw\n"
    assert (built.image_builds(), built.tools_builds()) == (1, 1)


def edit_profile(desk: Desk) -> None:
    (desk.directory / "small.yaml").write_text(PROFILE + "packages: [jq]\n")


def damage_artifact(desk: Desk) -> None:
    (desk.out / "claudineos_0.1.0.raw").write_text("damaged")


def remove_artifact(desk: Desk) -> None:
    (desk.out / "absence.json").unlink()


def damage_record(desk: Desk) -> None:
    (desk.out / "build.json").write_text("{")


def edit_model(desk: Desk) -> None:
    path = desk.directory / "models/tiny.yaml"
    path.write_text(path.read_text().replace("title: Tiny Chat", "title: Tiny Talk"))


def replace_keys(desk: Desk) -> None:
    shutil.rmtree(desk.directory / "keys")
    create_keys(desk.directory / "keys", "Other")


CHANGES = [edit_profile, edit_model, damage_artifact, remove_artifact, damage_record, replace_keys]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_always_built(built: Desk, change: Callable[[Desk], None]) -> None:
    change(built)
    done = built.build()
    assert (done.returncode, built.image_builds()) == (0, 2)


def test_refresh_starts_from_newer_packages(built: Desk) -> None:
    built.build("--refresh")
    assert " -f -f " in (built.directory / "calls").read_text().splitlines()[-1]


def damage_tools(desk: Desk) -> None:
    (program,) = (desk.directory / "cache").rglob("systemd-repart")
    program.unlink()


def halve_tools(desk: Desk) -> None:
    (inventory,) = (desk.directory / "cache").rglob("inventory")
    inventory.unlink()


@pytest.mark.parametrize("damage", [damage_tools, halve_tools])
def test_a_damaged_tools_tree_is_built_again(built: Desk, damage: Callable[[Desk], None]) -> None:
    damage(built)
    done = built.build()
    assert (done.returncode, built.tools_builds()) == (0, 3), "cleaned with mkosi, then built"
    assert "damaged" in done.stderr


FAILURES = [
    ("unknown setting", "does not know a setting", "Unknown setting Speling"),
    ("no space", "The disk is full", "mkosi.log"),
    ("no network", "There is no network", "mkosi.log"),
]


@pytest.mark.parametrize(("misbehaviour", "told", "detail"), FAILURES)
def test_a_failure_says_the_way_out_and_keeps_the_last_build(
    built: Desk, misbehaviour: str, told: str, detail: str
) -> None:
    before = (built.out / "SHA256SUMS").read_text()
    edit_profile(built)
    done = built.build(FAKE_MKOSI=misbehaviour)
    assert (done.returncode, done.stdout) == (3, "")
    assert told in done.stderr
    assert detail in done.stderr
    assert "Traceback" not in done.stderr
    assert (built.out / "SHA256SUMS").read_text() == before
    assert built.leftovers() == []


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing(desk: Desk, stop: signal.Signals) -> None:
    with subprocess.Popen(
        desk.command(),
        cwd=desk.directory,
        env={**desk.environment, "FAKE_MKOSI": "hang"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        build = desk.directory / "build/small"
        deadline = time.monotonic() + 20
        while not list(build.glob(".new/out/half.raw")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(stop)
        _, messages = process.communicate(timeout=20)
    assert process.returncode == 130
    assert messages.strip().endswith("claudineos: interrupted; nothing half-made was kept")
    assert desk.leftovers() == []
    assert not desk.out.exists()


def test_what_a_killed_build_left_is_cleaned_up(desk: Desk) -> None:
    left = desk.directory / "build/small/.new/out/half.raw"
    left.parent.mkdir(parents=True)
    left.touch()
    assert desk.build().returncode == 0
    assert desk.leftovers() == []


def test_the_models_image_is_made_once(built: Desk) -> None:
    edit_profile(built)
    assert "Building the model image" not in built.build().stderr
    edit_model(built)
    assert "Building the model image tiny_3" in built.build().stderr


def test_a_damaged_model_image_is_made_again(built: Desk) -> None:
    (image,) = (built.directory / "cache/claudineos/models").glob("*/tiny_3.raw")
    whole = image.read_bytes()
    image.write_bytes(b"!" + whole[1:])
    edit_profile(built)
    assert "is damaged and is made again" in built.build().stderr
    assert image.read_bytes() == whole


def test_wrong_weights_are_refused_by_name(desk: Desk) -> None:
    shutil.rmtree(desk.directory / "cache/claudineos/models")
    (desk.directory / "weights.gguf").write_bytes(WEIGHTS[:-1] + b"!")
    done = desk.build()
    assert done.returncode == 2
    assert "weights.gguf has the SHA-256" in done.stderr
    assert hashlib.sha256(WEIGHTS).hexdigest() in done.stderr
    assert not desk.out.exists()
    assert desk.leftovers() == []


def test_a_missing_key_is_told_before_anything_starts(desk: Desk) -> None:
    (desk.directory / "keys/verity.key").unlink()
    done = desk.build()
    assert done.returncode == 2
    assert "verity.key" in done.stderr
    assert not (desk.directory / "build").exists()
