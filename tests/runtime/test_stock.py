"""Models that come from a stick, and go again."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.asking import Lines, ask, ask_and_hang_up, steps, use
from tests.runtime.simulated_models import MIB, OTHER, OWN, SimulatedModels, record
from tests.support.model_image import Owner, model_image, with_flipped_bit


@pytest.fixture
def stick(models: SimulatedModels) -> Path:
    """The opened stick; what lies there is called like the model that it is."""
    return models.root / "run/claudine-stick"


def add(models: SimulatedModels, path: str) -> Lines:
    return ask(models, "add-model", path=path)


def left(models: SimulatedModels) -> list[str]:
    return sorted(path.name for path in models.shelf.disk.iterdir())


@pytest.fixture
def offered(models: SimulatedModels, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Lay an image on the stick as `models/other_2.raw`."""
    monkeypatch.setattr("claudine_runtime.stock.MOUNT_POINT", "/run/claudine-stick")

    def offer(image: bytes | None = None, **changed: object) -> str:
        models.records[OTHER] = record(OTHER, **changed)
        models.put(f"run/claudine-stick/models/{OTHER}.raw", model_image(owner) if image is None else image)
        return f"models/{OTHER}.raw"

    return offer


def test_a_model_is_added_from_a_stick(models: SimulatedModels, offered: Callable[..., str]) -> None:
    lines = add(models, offered())
    assert lines[-1] == {"done": True, "model": OTHER}
    assert steps(lines) == ["checking", "copying", "verifying"]
    assert left(models) == [f"{OTHER}.raw"]
    assert (models.shelf.place(OTHER).stat().st_mode & 0o777) == 0o600
    assert use(models, OTHER)[-1] == {"done": True}


def test_what_is_wrong_with_it_is_said_and_nothing_is_left(
    models: SimulatedModels, offered: Callable[..., str], owner: Owner, stranger: Owner
) -> None:
    deep = 2048 * 512 + 200 * 4096
    for image, sentence in (
        (model_image(None), "Its image is not signed."),
        (model_image(stranger), "Its image is signed by somebody else."),
        (with_flipped_bit(model_image(owner), deep), "Its image was changed, or is damaged."),
        (b"GGUF" + bytes(5000), "It is not a model image."),
    ):
        assert add(models, offered(image))[-1] == {"error": sentence}
        assert left(models) == []
    assert add(models, offered(weights_bytes=9000 * MIB))[-1]["error"].startswith("It needs more than 9080 MiB")
    assert left(models) == []


def test_room_is_checked_before_anything_is_copied(
    models: SimulatedModels, offered: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claudine_runtime.shelf.Shelf.free_bytes", lambda shelf: MIB)
    lines = add(models, offered())
    assert steps(lines) == ["checking"]
    assert lines[-1] == {"error": "There is too little room on my disk: it needs 3 MiB, and 1 MiB are free."}


def test_the_same_model_is_not_added_twice(models: SimulatedModels, offered: Callable[..., str]) -> None:
    path = offered()
    add(models, path)
    assert add(models, path)[-1] == {"error": "The other model 2 is here already."}
    assert left(models) == [f"{OTHER}.raw"]


def test_whoever_hangs_up_adds_nothing(models: SimulatedModels, offered: Callable[..., str]) -> None:
    ask_and_hang_up(models, "add-model", path=offered())
    assert left(models) == []


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../../etc/passwd", "models/../../x", "models//x", "a\0b", "models", "link.raw", "pipe"]
)
def test_only_files_of_the_stick_are_opened(
    models: SimulatedModels, offered: Callable[..., str], stick: Path, path: str
) -> None:
    offered()
    (stick / "link.raw").symlink_to(models.shelf.place(OWN))
    os.mkfifo(stick / "pipe")
    [answer] = add(models, path)
    assert "error" in answer
    assert left(models) == []


def test_a_model_is_removed_unless_it_is_needed(models: SimulatedModels) -> None:
    models.put_model(OTHER)
    assert "stays" in ask(models, "remove-model", model=OWN)[-1]["error"]
    use(models, OTHER)
    assert "in use" in ask(models, "remove-model", model=OTHER)[-1]["error"]
    use(models, OWN)
    assert ask(models, "remove-model", model=OTHER) == [{"done": True}]
    assert left(models) == []
    assert ask(models, "remove-model", model=OTHER)[-1]["error"] == f"There is no model {OTHER}."
