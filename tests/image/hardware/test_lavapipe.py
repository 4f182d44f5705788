"""Mesa's Vulkan on the processor makes programs in memory: where only signed code runs, it cannot compute.

That is why images for real machines do not have it. Vulkan of a graphics card makes programs for the card, which the
rule does not concern; no virtual machine has one.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from builder.suite.plugin import report_directory
from builder.suite.report import ARTEFACTS
from builder.toolchain import Toolchain
from builder.vm.machine import Machine
from tests.image.variants import build_variant

PROFILE = Path(__file__).with_name("lavapipe.yaml")
ANSWER_TIMEOUT_S = 900.0
# ggml leaves devices that are processors alone unless it is told to use them.
WITH_LAVAPIPE = "GGML_VK_VISIBLE_DEVICES=0"
SERVER = "for it in /proc/[0-9]*; do [ $(cat $it/comm) != llama-server ] || echo $it; done 2>/dev/null"
TIMED_OUT = 124


@pytest.fixture(scope="module")
def machine(
    toolchain: Toolchain,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    uncaptured: Callable[[], AbstractContextManager[None]],
) -> Iterator[Machine]:
    """A machine with all of Mesa's Vulkan drivers in its image, and no graphics card that they could use."""
    directory = tmp_path_factory.mktemp("lavapipe")
    kept = report_directory(request.config) / ARTEFACTS / "lavapipe-boot"
    with uncaptured():
        image = build_variant(PROFILE)
    with Machine(toolchain, image, directory, artefacts=kept) as machine:
        with uncaptured():
            machine.wait_for_boot()
        yield machine


def test_the_models_server_leaves_it_alone_and_computes_on_the_processor(machine: Machine) -> None:
    assert machine.succeed("ls /usr/share/vulkan/icd.d/lvp_icd*.json")
    assert "Paris" in machine.succeed("claudine ask 'What is the capital of France?'", ANSWER_TIMEOUT_S)
    said = machine.succeed("journalctl --boot --no-pager --output=cat")
    assert "Vulkan0" not in said


def test_told_to_use_it_the_server_computes_nothing(
    machine: Machine, record_note: Callable[[str, object], None]
) -> None:
    """As root, without the sandbox of the model's service: what is left is the kernel's rule."""
    listed = machine.run(f"{WITH_LAVAPIPE} timeout 300 llama-server --list-devices 2>&1", timeout_s=330)
    [server] = machine.succeed(SERVER).split()
    words = machine.succeed(f"tr '\\0' '\\n' <{server}/cmdline").splitlines()
    model = f"{server}/root{words[words.index('--model') + 1]}"
    options = "--device Vulkan0 --gpu-layers 99 --ctx-size 256 --parallel 1 --offline --host /run/lavapipe.sock"
    tried = machine.run(f"{WITH_LAVAPIPE} timeout 600 llama-server --model {model} {options} 2>&1", timeout_s=630)
    record_note("lavapipe", {"listed": listed.stdout[-500:], "tried": tried.stdout[-500:], "status": tried.returncode})
    # It may be listed, which takes no program; a server that goes on until its time is over would have computed.
    assert tried.returncode not in (0, TIMED_OUT)
