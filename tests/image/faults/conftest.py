"""Machines with something broken. Each is a copy of one machine in use, so that nobody's fault is another's.

That machine's first boot is watched once for the whole group: its keys are enrolled, its disk is made, its owner has
the recovery key and has said something. What a power cut would have left of it is kept on the way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from builder.suite.plugin import report_directory
from builder.suite.report import ARTEFACTS
from builder.toolchain import Toolchain, open_toolchain
from builder.vm.directory import MachineDirectory
from builder.vm.disk_image import DiskImage
from builder.vm.hardware import Hardware
from builder.vm.machine import Machine
from tests.image.faults.machines import (
    EXPECTED,
    MOMENTS,
    Keeping,
    MachineInUse,
    SwitchOn,
    cut,
    say_something,
)
from tests.image.owner import confirm_recovery_key, keep_settings, put_off_experiment, see_recovery_key
from tests.image.state_volume import SECTOR_BYTES, START
from tests.support.power_cut import copy_directory


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return open_toolchain()


@pytest.fixture
def keeping(artefacts: Path) -> Keeping:
    """Keep what a machine looks like when a test that uses it fails."""

    @contextmanager
    def keep(machine: Machine) -> Iterator[None]:
        try:
            yield
        except BaseException:
            machine.keep_artefacts(artefacts)
            raise

    return keep


@pytest.fixture
def switch_on(toolchain: Toolchain, image: DiskImage, keeping: Keeping) -> SwitchOn:
    """Switch a machine on, for a `with` block."""

    @contextmanager
    def switched_on(
        directory: Path, *, boots: DiskImage = image, hardware: Hardware | None = None
    ) -> Iterator[Machine]:
        with Machine(toolchain, boots, directory, hardware=hardware) as machine, keeping(machine):
            machine.watch.serial_log.expected = EXPECTED
            yield machine

    return switched_on


@pytest.fixture
def copy(machine_in_use: MachineInUse, tmp_path: Path) -> MachineDirectory:
    """A copy of the machine in use, to be spoiled."""
    return MachineDirectory(copy_directory(machine_in_use.directory, tmp_path / "machine"))


@pytest.fixture(scope="session")
def machine_in_use(
    toolchain: Toolchain, image: DiskImage, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> MachineInUse:
    directory = tmp_path_factory.mktemp("machines")
    kept = report_directory(request.config) / ARTEFACTS / "first-boot"
    capture: Any = request.config.pluginmanager.getplugin("capturemanager")
    # Minutes without a word look like a hang.
    with (
        capture.global_and_fixture_disabled(),
        Machine(toolchain, image, directory / "in-use", artefacts=kept) as machine,
    ):
        cuts = {
            moment: cut(machine, directory / moment.replace(" ", "-"), has_come) for moment, has_come in MOMENTS.items()
        }
        keep_settings(machine)
        key = see_recovery_key(machine)
        confirm_recovery_key(machine, key)
        put_off_experiment(machine)
        say_something(machine)
        start = int(machine.succeed(START))
        machine.shutdown()
    return MachineInUse(directory / "in-use", cuts, key, start * SECTOR_BYTES)
