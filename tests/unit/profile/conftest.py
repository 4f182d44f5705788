"""A folder of small profiles: a complete `base`, the model that it names, and whatever a test writes beside it."""

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str, str], Path]

BASE = """\
schema: 1
name: base
description: Complete, and small
image: {id: claudineos, version: "0.1.0", source_date: 2026-11-01}
distribution: {release: forky, mirror: null, snapshot: null}
boot:
  enroll_keys: if-safe
  kernel_arguments: [quiet]
  console: [tty0]
  microsoft_certificates: true
  import_credentials: false
storage: {esp_size_mib: 256, unlock: tpm2}
hardware: {architecture: x86-64, memory_mib: 2048, minimum_processor: x86-64, drivers: [], firmware: [], gpu: none,
           gpu_device: null, kernel_modules: [], initrd_modules: []}
network: {mode: none}
model: {name: tiny, context_tokens: 2048}
client: {consoles: [tty1]}
overlays: [base, client]
packages: []
"""

MODEL = """\
schema: 1
name: tiny
version: "1"
title: Tiny
licence:
  id: Apache-2.0
  text: {source: {file: {path: LICENCE}}, sha256: "SHA", size_bytes: 11}
languages: [en]
weights: {source: {file: {path: weights/tiny.gguf}}, sha256: "SHA", size_bytes: 480000}
architecture: llama
parameters: 100000
quantisation: F32
context_tokens: 4096
chat_template_sha256: "SHA"
kv_bytes_per_token: 1024
compute_bytes: 1000000
""".replace("SHA", "a" * 64)


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """A folder that holds the profile `base`, whose `boot` section is in the lines 6 to 11."""
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/tiny.yaml").write_text(MODEL)
    return tmp_path


@pytest.fixture
def write(profiles: Path) -> Write:
    """Write a profile NAME into the folder: three lines of header, and what it says from line 4 on."""

    def write_profile(name: str, says: str) -> Path:
        path = profiles / f"{name}.yaml"
        path.write_text(f"schema: 1\nname: {name}\ndescription: Written by a test\n{says}")
        return path

    return write_profile
