"""The image for mini-PCs, with a door for the tests, and machines as they are sold.

The first machine is new: it is checked before its firmware has any keys, which are then chosen in the boot menu. The
others are like it after that, so they have its firmware variables.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from builder.image import Artifacts
from builder.suite.plugin import report_directory
from builder.suite.report import ARTEFACTS
from builder.toolchain import Toolchain, open_toolchain
from builder.vm.directory import MachineDirectory, open_directory, prepare
from builder.vm.disk_image import DiskImage
from builder.vm.hardware import Hardware
from builder.vm.machine import Machine
from claudine_preflight import voice
from tests.image.hardware.boot_menu import Entry, choose
from tests.image.hardware.machines import MACHINES, NVME, RealMachine
from tests.image.screen import wait_for_text
from tests.image.variants import build_variant

HERE = Path(__file__).parent
# The check waits for devices, the TPM and the model's server; each is slow where it is emulated.
CHECK_TIMEOUT_S = 600.0

SwitchOn = Callable[[Path, Hardware], AbstractContextManager[Machine]]


@dataclass(frozen=True)
class Checked:
    """A new machine after its check and before anything else: what the screen said, and what the machine left."""

    directory: MachineDirectory
    screen: str


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return open_toolchain()


@pytest.fixture(scope="session")
def uncaptured(request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[None]]:
    """Let what is said meanwhile be seen: minutes without a word look like a hang."""
    capture: Any = request.config.pluginmanager.getplugin("capturemanager")
    return lambda: capture.global_and_fixture_disabled()


@pytest.fixture(scope="session")
def mini_pc(uncaptured: Callable[[], AbstractContextManager[None]]) -> DiskImage:
    with uncaptured():
        return build_variant(HERE / "mini-pc-door.yaml")


@pytest.fixture(scope="session")
def artifacts(mini_pc: DiskImage) -> Artifacts:
    return Artifacts.read(mini_pc.path.parent)


@pytest.fixture(scope="session")
def switch_on(request: pytest.FixtureRequest, toolchain: Toolchain, mini_pc: DiskImage) -> SwitchOn:
    """Switch a machine on, for a `with` block."""

    @contextmanager
    def switched_on(directory: Path, hardware: Hardware) -> Iterator[Machine]:
        kept = report_directory(request.config) / ARTEFACTS / f"hardware-{directory.name}"
        with Machine(toolchain, mini_pc, directory, hardware=hardware, artefacts=kept) as machine:
            yield machine

    return switched_on


def wait_for_report(machine: Machine) -> str:
    """Wait until the check is over, and return what the screen says."""
    return wait_for_text(machine, voice.KEYS, CHECK_TIMEOUT_S)


@pytest.fixture(scope="session")
def checked(
    switch_on: SwitchOn,
    tmp_path_factory: pytest.TempPathFactory,
    uncaptured: Callable[[], AbstractContextManager[None]],
) -> Checked:
    directory = tmp_path_factory.mktemp("machines") / "nvme"
    with uncaptured(), switch_on(directory, NVME) as machine:
        choose(machine, Entry.CHECK)
        screen = wait_for_report(machine)
        machine.send_keys("p")
        machine.wait_for_power_off(CHECK_TIMEOUT_S)
    return Checked(MachineDirectory(directory), screen)


@pytest.fixture(scope="session")
def enrolled(
    checked: Checked,
    switch_on: SwitchOn,
    uncaptured: Callable[[], AbstractContextManager[None]],
) -> MachineDirectory:
    """The new machine after the owner's keys were chosen in the boot menu; its first start is still to come."""
    with uncaptured(), switch_on(checked.directory.path, NVME) as machine:
        choose(machine, Entry.ENROLL)
        machine.watch.until("the restart", lambda: machine.watch.resets or None, timeout_s=CHECK_TIMEOUT_S)
    return checked.directory


@pytest.fixture(scope="module", params=MACHINES)
def real(request: pytest.FixtureRequest) -> RealMachine:
    """One of the machines, by its parts."""
    return MACHINES[request.param]


@pytest.fixture(scope="module")
def running(
    real: RealMachine,
    enrolled: MachineDirectory,
    toolchain: Toolchain,
    mini_pc: DiskImage,
    switch_on: SwitchOn,
    uncaptured: Callable[[], AbstractContextManager[None]],
) -> Iterator[Machine]:
    """That machine at its first start, when it has nothing left to do."""
    with uncaptured():
        directory = enrolled
        if real.hardware != NVME:
            directory = open_directory(enrolled.path.with_name(real.hardware.disk))
            prepare(toolchain, directory, mini_pc, fresh=True)
            shutil.copyfile(enrolled.variables, directory.variables)
    with switch_on(directory.path, real.hardware) as machine:
        with uncaptured():
            machine.wait_for_boot()
        yield machine
