"""What the client may ask of the models, and what happens to them then: one model in place of another, and back."""

import fcntl
import json
from collections.abc import Callable
from typing import Any

import pytest

from claudine_runtime.use import REASONS, apply_choice
from tests.runtime.asking import ask, ask_and_hang_up, steps, use
from tests.runtime.simulated_models import MIB, OTHER, OWN, SimulatedModels, record
from tests.support.model_image import Owner, model_image, with_flipped_bit


@pytest.mark.parametrize(
    ("request_line", "error"),
    [
        (b"", "not JSON"),
        (b"[" * 4000, "not JSON"),
        (b"[]", "none that I know"),
        (b'{"request": "stop"}', "none that I know"),
        (b'{"request": ["models"]}', "none that I know"),
        (b'{"request": "models", "model": "x"}', "models takes nothing."),
        (b'{"request": "use-model", "model": "own_1"}', "use-model takes context_tokens and model."),
        (b'{"request": "use-model", "model": "own_1", "context_tokens": true}', "takes"),
        (b'{"request": "use-model", "model": "own_1", "context_tokens": 100}', "512 tokens at least"),
        (b'{"request": "use-model", "model": "../etc_1", "context_tokens": null}', "There is no model ../etc_1."),
        (b'{"request": "remove-model", "model": 5}', "no text"),
        (b'{"request": "remove-model", "model": "/etc/passwd"}', "There is no model"),
        (b"x" * 5000, "longer than 4096"),
    ],
)
def test_what_it_does_not_know_is_refused(models: SimulatedModels, request_line: bytes, error: str) -> None:
    [answer] = ask(models, request_line)
    assert error in answer["error"]
    assert models.calls == []


def test_models_are_listed_with_what_they_need(models: SimulatedModels, owner: Owner, stranger: Owner) -> None:
    models.put_model(OTHER, weights_bytes=9000 * MIB)
    models.put_model("unsigned_1", model_image(None))
    models.put_model("foreign_1", model_image(stranger))
    models.put_model("changed_1", with_flipped_bit(model_image(owner), 512 + 40))
    models.put_model("nothing_1", b"nothing")
    models.put("var/lib/claudine-models/coming.new")
    models.put("var/lib/claudine-models/..raw")
    [answer] = ask(models, "models")
    listed = {row.pop("id"): row for row in answer["models"]}
    assert listed[OWN] == {
        "name": "own",
        "version": "1",
        "title": "The own model",
        "licence": "Apache-2.0",
        "weights_bytes": 100 * MIB,
        "place": "image",
        "memory_bytes": (100 + 16 + 64 + 45) * MIB,
        "context_tokens": 2048,
        "fits": True,
        "in_use": True,
        "problem": None,
    }
    assert (listed[OTHER]["fits"], listed[OTHER]["place"], listed[OTHER]["in_use"]) == (False, "disk", False)
    problems = {model: row["problem"] for model, row in listed.items() if row["problem"]}
    assert problems == {
        "unsigned_1": "unsigned",
        "foreign_1": "foreign",
        "changed_1": "changed",
        "nothing_1": "unreadable",
    }
    assert answer["memory_bytes"] == (4096 - 1024) * MIB
    assert answer["done"] is True


def test_what_is_not_signed_is_not_looked_into(models: SimulatedModels, stranger: Owner) -> None:
    models.put_model("foreign_1", model_image(stranger))
    ask(models, "models")
    assert [call for call in models.calls if "foreign_1" in call] == []


def test_a_file_that_is_called_like_another_model_is_not_taken_for_it(models: SimulatedModels) -> None:
    models.put_model(OTHER)
    models.records[OTHER] = record("third_3")
    [answer] = ask(models, "models")
    assert [row["problem"] for row in answer["models"]] == [None, "changed"]
    assert use(models, OTHER) == [{"error": REASONS["changed"]}]


def in_use(models: SimulatedModels) -> tuple[str, set[str]]:
    return models.shelf.in_use(), models.running


def test_the_old_one_goes_when_the_new_one_has_answered(models: SimulatedModels) -> None:
    models.put_model(OTHER)
    lines = use(models, OTHER)
    assert steps(lines) == ["starting", "answering"]
    assert lines[-1] == {"done": True}
    assert in_use(models) == (OTHER, {OTHER})
    started = models.calls.index(f"systemctl start claudine-runtime@{OTHER}.service")
    assert models.calls.index(f"systemctl stop claudine-runtime@{OWN}.service") > started


def test_how_much_is_loaded_is_what_the_kernel_has_counted(models: SimulatedModels) -> None:
    models.put_model(OTHER)
    models.slow.add(OTHER)
    lines = use(models, OTHER)
    assert steps(lines) == ["starting", "loading", "answering"]
    assert {"step": "loading", "percent": 50} in lines


def test_without_memory_for_both_the_old_one_goes_first(models: SimulatedModels) -> None:
    models.put_model(OTHER)
    models.set_memory(300 * MIB)
    assert use(models, OTHER)[-1] == {"done": True}
    assert in_use(models) == (OTHER, {OTHER})
    started = models.calls.index(f"systemctl start claudine-runtime@{OTHER}.service")
    assert models.calls.index(f"systemctl stop claudine-runtime@{OWN}.service") < started


@pytest.mark.parametrize("room_mib", [3000, 300])
@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (("oom-kill", "9"), "oom"),
        (("exit-code", "75"), "oom"),
        (("exit-code", "226"), "changed"),
        (("exit-code", "1"), "crashed"),
        (("at once", "226"), "changed"),
    ],
)
def test_when_the_new_one_fails_the_old_one_answers(
    models: SimulatedModels, failure: tuple[str, str], reason: Any, room_mib: int
) -> None:
    models.put_model(OTHER)
    models.set_memory(room_mib * MIB)
    models.failing[OTHER] = failure
    assert use(models, OTHER)[-1] == {"error": REASONS[reason]}
    assert in_use(models) == (OWN, {OWN})
    assert not (models.shelf.disk / "choice.json").exists()


def test_a_block_that_the_kernel_found_damaged_is_the_reason(models: SimulatedModels) -> None:
    models.put_model(OTHER)
    models.failing[OTHER] = ("exit-code", "1")
    models.kernel = "device-mapper: verity: 254:3: data block 77 is corrupted\n"
    assert use(models, OTHER)[-1] == {"error": REASONS["changed"]}


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (lambda owner, stranger: model_image(None), "unsigned"),
        (lambda owner, stranger: model_image(stranger), "foreign"),
        (lambda owner, stranger: with_flipped_bit(model_image(owner), 512 + 40), "changed"),
    ],
)
def test_an_image_that_is_not_the_owners_is_not_started(
    models: SimulatedModels, owner: Owner, stranger: Owner, image: Callable[[Owner, Owner], bytes], reason: Any
) -> None:
    models.put_model(OTHER, image(owner, stranger))
    assert use(models, OTHER) == [{"error": REASONS[reason]}]
    assert models.calls == []


def test_one_that_needs_too_much_is_not_started(models: SimulatedModels) -> None:
    models.put_model(OTHER, weights_bytes=9000 * MIB)
    [answer] = use(models, OTHER)
    assert answer == {"error": "It needs more than 9080 MiB of memory; I have 3072 MiB for models."}
    assert OTHER not in models.running


def test_whoever_hangs_up_keeps_the_old_one(models: SimulatedModels) -> None:
    models.put_model(OTHER)
    ask_and_hang_up(models, "use-model", model=OTHER, context_tokens=None)
    assert in_use(models) == (OWN, {OWN})


def test_the_same_model_with_a_shorter_conversation_is_started_anew(models: SimulatedModels) -> None:
    assert use(models, OWN, 1024)[-1] == {"done": True}
    assert in_use(models) == (OWN, {OWN})
    assert (models.shelf.run / f"{OWN}.env").read_text() == "CLAUDINE_CONTEXT=1024\n"
    [listed] = ask(models, "models")
    assert listed["models"][0]["context_tokens"] == 1024


def test_the_choice_holds_from_the_next_start_on(models: SimulatedModels) -> None:
    models.put_model(OTHER)
    use(models, OTHER, 1024)
    # As the machine starts: the image's own one.
    use(models, OWN)
    assert not (models.shelf.disk / "choice.json").exists()
    models.put("var/lib/claudine-models/choice.json", json.dumps({"model": OTHER, "context_tokens": 1024}))
    assert apply_choice(models.shelf) == 0
    assert in_use(models) == (OTHER, {OTHER})
    assert (models.shelf.run / f"{OTHER}.env").read_text() == "CLAUDINE_CONTEXT=1024\n"


@pytest.mark.parametrize(
    "choice", ["", "[", '{"model": "other_2"}', '{"model": "gone_1", "context_tokens": null}', '{"model": 5}']
)
def test_a_choice_that_cannot_be_met_leaves_the_images_own_one(models: SimulatedModels, choice: str) -> None:
    models.put("var/lib/claudine-models/choice.json", choice)
    assert apply_choice(models.shelf) == 1
    assert in_use(models) == (OWN, {OWN})


def test_a_chosen_one_that_fails_at_the_start_leaves_the_images_own_one(models: SimulatedModels) -> None:
    models.put_model(OTHER)
    models.failing[OTHER] = ("oom-kill", "9")
    models.put("var/lib/claudine-models/choice.json", json.dumps({"model": OTHER, "context_tokens": None}))
    assert apply_choice(models.shelf) == 1
    assert in_use(models) == (OWN, {OWN})


def test_changes_come_one_after_the_other(models: SimulatedModels) -> None:
    with (models.shelf.run / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "another screen" in use(models, OWN)[-1]["error"]
        assert ask(models, "models")[-1]["done"] is True


def runtime(models: SimulatedModels) -> dict[str, Any]:
    [answer] = ask(models, "runtime")
    return answer


def test_how_the_model_runs_is_told_by_the_server_and_the_kernel(models: SimulatedModels) -> None:
    assert runtime(models) == {
        "done": True,
        "unit": f"claudine-runtime@{OWN}.service",
        "model": OWN,
        "result": "running",
        "backend": "CPU",
        "device": "AMD EPYC 7",
        "wanted": "cpu",
        "context_tokens": 2048,
        "threads": 2,
    }


def test_where_most_of_the_weights_are_is_what_it_runs_on(models: SimulatedModels) -> None:
    models.put("usr/share/claudine/gpu", "vulkan\n")
    assert (runtime(models)["wanted"], runtime(models)["backend"]) == ("vulkan", "CPU")
    models.log += "load_tensors:      Vulkan0 model buffer size =   900.00 MiB\n"
    found = runtime(models)
    assert (found["backend"], found["device"]) == ("Vulkan", "AMD Radeon Graphics (RADV PHOENIX)")


@pytest.mark.parametrize(
    ("failure", "result"),
    [(("oom-kill", "9"), "oom"), (("exit-code", "75"), "oom"), (("exit-code", "1"), "crashed")],
)
def test_why_it_does_not_run_is_told(models: SimulatedModels, failure: tuple[str, str], result: str) -> None:
    models.run(["systemctl", "stop", f"claudine-runtime@{OWN}.service"])
    models.failing[OWN] = failure
    models.run(["systemctl", "start", f"claudine-runtime@{OWN}.service"])
    assert runtime(models)["result"] == result


def test_a_partition_that_is_not_there_is_told(models: SimulatedModels) -> None:
    models.run(["systemctl", "stop", f"claudine-runtime@{OWN}.service"])
    models.shelf.place(OWN).unlink()
    assert runtime(models)["result"] == "missing"


def test_the_weights_of_the_running_server_are_hashed(models: SimulatedModels, owner: Owner) -> None:
    models.put("proc/811/root/run/model/model.gguf", b"weights" * 500_000)
    lines = ask(models, "hash", model=OWN)
    assert steps(lines) == ["hashing"]
    assert lines[-2] == {"step": "hashing", "percent": 100}
    assert lines[-1]["signer"]["sha256"] == owner.fingerprint
    assert len(lines[-1]["sha256"]) == len(lines[-1]["root_hash"]) == 64
    assert "not the model in use" in ask(models, "hash", model=OTHER)[-1]["error"]
