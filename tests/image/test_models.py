"""Models change places, and come from a stick, while somebody talks to the machine."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.keys import KeySet, create_keys
from builder.vm.headless import runtime_unit, wait_for_model
from builder.vm.machine import Machine
from tests.image.models import (
    TINY,
    add_from_stick,
    ask_models,
    stick_with,
    tiny_model_image,
    use_model,
    with_a_changed_block,
    without_signature,
)
from tests.image.stick import plugged_in

CLIENT = "claudine-client@tty1.service"


@pytest.fixture(scope="module")
def stick(owner_keys: KeySet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model of the owner's, and three that are not to be believed."""
    folder = tmp_path_factory.mktemp("models")
    mine = _tiny(folder / "mine", owner_keys)
    foreign = _tiny(folder / "foreign", create_keys(folder / "keys", "Somebody else"))
    files = {
        "mine": mine,
        "foreign": foreign,
        "unsigned": without_signature(mine),
        "changed": with_a_changed_block(mine),
    }
    return stick_with(folder / "stick.img", **files)


def _tiny(folder: Path, keys: KeySet) -> bytes:
    folder.mkdir()
    return tiny_model_image(folder, keys).read_bytes()


@pytest.fixture(scope="module")
def own(machine: Machine) -> str:
    """The image's own model."""
    wait_for_model(machine)
    return str(ask_runtime(machine)["model"])


def ask_runtime(machine: Machine) -> dict[str, Any]:
    return ask_models(machine, "runtime")[-1]


def namespace(machine: Machine, unit: str) -> str:
    return machine.succeed(f"readlink /proc/$(systemctl show --property=MainPID --value {unit})/ns/net")


@pytest.fixture(scope="module")
def added(machine: Machine, own: str, stick: Path) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """What was said of each file of the stick."""
    with plugged_in(machine, stick) as found:
        yield {
            name: add_from_stick(machine, found, f"{name}.raw") for name in ("unsigned", "foreign", "changed", "mine")
        }


def test_the_images_own_model_runs_and_says_on_what(machine: Machine, own: str) -> None:
    told = ask_runtime(machine)
    assert (told["result"], told["backend"], told["wanted"]) == ("running", "CPU", "cpu")
    assert told["context_tokens"] == 2048
    assert told["device"]
    [listed] = [row for row in ask_models(machine, "models")[-1]["models"] if row["id"] == own]
    assert (listed["place"], listed["fits"], listed["in_use"], listed["problem"]) == ("image", True, True, None)


def test_the_weights_that_run_are_those_of_the_build(machine: Machine, own: str) -> None:
    told = ask_models(machine, "hash", model=own)[-1]
    assert told["sha256"] in machine.succeed("cat /usr/share/claudine/model.json")
    assert "verity" in told["signer"]["subject"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("unsigned", "Its image is not signed."),
        ("foreign", "Its image is signed by somebody else."),
        ("changed", "Its image was changed, or is damaged."),
    ],
)
def test_a_model_that_is_not_the_owners_is_not_added(
    added: dict[str, list[dict[str, Any]]], name: str, sentence: str
) -> None:
    assert added[name][-1] == {"error": sentence}


def test_a_model_is_added_from_a_stick(machine: Machine, added: dict[str, list[dict[str, Any]]]) -> None:
    assert added["mine"][-1] == {"done": True, "model": TINY}
    assert {"checking", "copying", "verifying"} <= {line.get("step") for line in added["mine"]}
    assert machine.succeed("ls /var/lib/claudine-models").split() == [f"{TINY}.raw"]
    assert machine.succeed("stat -c %U:%a /var/lib/claudine-models") == "root:700\n"


@pytest.mark.usefixtures("added")
def test_another_model_takes_its_place_in_the_same_network(
    machine: Machine, own: str, record_note: Callable[[str, object], None]
) -> None:
    before = namespace(machine, CLIENT)
    assert namespace(machine, runtime_unit(machine)) == before
    assert use_model(machine, TINY) == {"done": True}
    assert runtime_unit(machine) == f"claudine-runtime@{TINY}.service"
    assert namespace(machine, runtime_unit(machine)) == before == namespace(machine, CLIENT)
    assert machine.run(f"systemctl is-active claudine-runtime@{own}.service").returncode != 0
    machine.succeed("claudine status")
    started = time.monotonic()
    assert use_model(machine, own) == {"done": True}
    # The request ends when the model has said its first token.
    record_note("model_switch_s", round(time.monotonic() - started, 1))


@pytest.mark.usefixtures("added")
def test_a_shorter_conversation_is_what_the_owner_may_choose(machine: Machine, own: str) -> None:
    assert use_model(machine, own, 1024) == {"done": True}
    assert ask_runtime(machine)["context_tokens"] == 1024
    assert use_model(machine, own) == {"done": True}
    assert ask_runtime(machine)["context_tokens"] == 2048


def test_the_model_in_use_and_the_images_own_are_not_removed(machine: Machine, own: str) -> None:
    assert "error" in ask_models(machine, "remove-model", model=own)[-1]


@pytest.mark.usefixtures("added")
def test_a_model_is_removed(machine: Machine) -> None:
    assert ask_models(machine, "remove-model", model=TINY) == [{"done": True}]
    assert machine.succeed("ls /var/lib/claudine-models") == ""


def test_only_the_client_may_ask(host: Any) -> None:
    socket = host.file("/run/claudine-models/control.sock")
    assert (socket.is_socket, socket.user, socket.group, socket.mode) == (True, "claudine", "claudine", 0o600)
