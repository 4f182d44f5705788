"""The client's side and the service's side of the socket, joined: what one says, the other understands."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from claudine.models import ModelsService
from claudine.state import StateError
from claudine.stop import Stop
from claudine_runtime.serve import serve
from tests.runtime.simulated_models import MIB, OTHER, OWN, SimulatedModels
from tests.support.model_image import Owner, model_image, with_flipped_bit


@pytest.fixture
def client(models: SimulatedModels, tmp_path: Path) -> Iterator[ModelsService]:
    path = tmp_path / "c"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def answer() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                serve(models.shelf, connection.fileno(), connection.fileno())

    thread = threading.Thread(target=answer)
    thread.start()
    yield ModelsService(str(path))
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def test_the_client_reads_the_list(models: SimulatedModels, client: ModelsService, stranger: Owner) -> None:
    models.put_model(OTHER, weights_bytes=9000 * MIB)
    models.put_model("foreign_1", model_image(stranger))
    shelf = client.shelf()
    rows = {model.id: (model.place, model.fits, model.in_use, model.problem) for model in shelf.models}
    assert rows == {
        OWN: ("image", True, True, ""),
        OTHER: ("disk", False, False, ""),
        "foreign_1": ("disk", False, False, "foreign"),
    }
    assert shelf.memory_bytes == 3072 * MIB


def test_the_client_reads_how_a_model_fares(models: SimulatedModels, client: ModelsService) -> None:
    fate = client.fate()
    assert (fate.model, fate.result, fate.backend, fate.device) == (OWN, "running", "CPU", "AMD EPYC 7")
    assert client.trouble() is None


def test_a_fall_back_to_the_processor_is_seen(models: SimulatedModels, client: ModelsService) -> None:
    wanted = models.put("usr/share/claudine/gpu", "vulkan\n")
    assert client.fate().fell_back
    assert client.warning(wanted)


@pytest.mark.parametrize("tokens", [None, 1024])
def test_the_client_changes_models(models: SimulatedModels, client: ModelsService, tokens: int | None) -> None:
    models.put_model(OTHER)
    steps: list[str] = []
    client.use(OTHER, tokens, lambda step, percent: steps.append(step), Stop())
    assert steps == ["starting", "answering"]
    assert models.shelf.in_use() == OTHER
    client.use(OWN, None, lambda step, percent: None, Stop())
    client.remove(OTHER)
    assert [model.id for model in client.shelf().models] == [OWN]


def test_the_client_adds_a_model(models: SimulatedModels, client: ModelsService, owner: Owner) -> None:
    models.records[OTHER] = models.records[OWN] | {"name": "other", "version": "2"}
    models.put(f"run/claudine-stick/files/models/{OTHER}.raw", model_image(owner, seed=b"new"))
    steps: list[str] = []
    added = client.add(f"models/{OTHER}.raw", lambda step, percent: steps.append(step), Stop())
    assert added == OTHER
    assert list(dict.fromkeys(steps)) == ["checking", "copying", "verifying"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [("unsigned", "not signed"), ("foreign", "signed by somebody else"), ("changed", "was changed")],
)
def test_the_client_hears_why_a_model_is_refused(
    models: SimulatedModels, client: ModelsService, owner: Owner, stranger: Owner, kind: str, said: str
) -> None:
    images = {
        "unsigned": model_image(None),
        "foreign": model_image(stranger),
        "changed": with_flipped_bit(model_image(owner), 512 + 40),
    }
    models.put("run/claudine-stick/files/x.raw", images[kind])
    with pytest.raises(StateError, match=said):
        client.add("x.raw", lambda step, percent: None, Stop())
    assert [model.id for model in client.shelf().models] == [OWN]


def test_the_client_has_the_weights_read(models: SimulatedModels, client: ModelsService) -> None:
    [number] = [path.name for path in (models.root / "proc").iterdir() if path.name.isdigit()]
    models.put(f"proc/{number}/root/run/model/model.gguf", b"weights")
    digest = client.digest(OWN, lambda step, percent: None)
    assert digest.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert "Ada Lovelace" in digest.signer
    assert len(digest.root_hash) == len(digest.signer_sha256) == 64
