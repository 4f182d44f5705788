"""Model images of the test's own, on sticks and disks, and the service that looks after models."""

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from builder.cli import cli
from builder.keys import KeySet
from builder.model import build_model_image
from builder.profile import load_model
from builder.run import run
from builder.toolchain import open_toolchain
from builder.vm.machine import Machine
from tests.image.stick import ask as ask_state
from tests.image.stick import ask_as_client
from tests.support.tiny_model import write_tiny_model

TINY = "tiny_1"


def ask_models(machine: Machine, request: str, **more: object) -> list[dict[str, Any]]:
    """Send one request, and return all lines of the answer."""
    return ask_as_client(machine, "/run/claudine-models/control.sock", request, 900, **more)


def use_model(machine: Machine, model: str, context_tokens: int | None = None) -> dict[str, Any]:
    """Have another model answer, and return the last line."""
    return ask_models(machine, "use-model", model=model, context_tokens=context_tokens)[-1]


def add_from_stick(machine: Machine, stick: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Open the stick that is plugged in, as the client does, and add one of its models."""
    assert "path" in ask_state(machine, "open-stick", stick=stick["id"])
    try:
        return ask_models(machine, "add-model", path=name)
    finally:
        ask_state(machine, "close-stick")


def tiny_model_image(folder: Path, keys: KeySet) -> Path:
    """Make a model of random weights and sign its image with *keys*: a stranger's, or the owner's."""
    weights = folder / "tiny.gguf"
    write_tiny_model(weights)
    command = ["model", "add", str(weights), "--licence", "Apache-2.0", "--to", str(folder)]
    assert CliRunner().invoke(cli, command, catch_exceptions=False).exit_code == 0
    return build_model_image(load_model("tiny", [folder]), keys, open_toolchain()).path


def without_signature(image: bytes) -> bytes:
    """Empty the partition of the signature, which holds JSON and zeros (Discoverable Partitions Specification)."""
    start = image.index(b'{"rootHash"')
    end = image.index(b"\0", start)
    return image[:start] + bytes(end - start) + image[end:]


def with_a_changed_block(image: bytes) -> bytes:
    """Change one byte in the middle of the weights."""
    middle = len(image) // 2
    return image[:middle] + bytes([image[middle] ^ 1]) + image[middle + 1 :]


def stick_with(path: Path, **files: bytes) -> Path:
    """Make the image of a stick with these files, each called NAME.raw."""
    path.write_bytes(bytes(sum(map(len, files.values())) + (16 << 20)))
    box = open_toolchain().box
    run(box(["mkfs.vfat", "-n", "MODELS", str(path)]))
    for name, content in files.items():
        file = path.with_name(f"{name}.raw")
        file.write_bytes(content)
        run(box(["mcopy", "-i", str(path), str(file), f"::{file.name}"]))
    return path
