"""The power fails during the first boot: the next one makes good what was half made."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from builder.toolchain import Toolchain
from builder.vm.disk_image import DiskImage
from builder.vm.machine import Machine
from tests.image.faults.machines import MOMENTS, MachineInUse
from tests.image.faults.rescue import expect_running
from tests.image.screen import wait_for_client
from tests.support.power_cut import copy_directory

NEXT = dict(pairwise(MOMENTS))


class Relay:
    """Machines after their power cuts. Two are on at a time: while one is looked at, the next one starts."""

    def __init__(self, toolchain: Toolchain, image: DiskImage, machines: MachineInUse, place: Path) -> None:
        self._toolchain = toolchain
        self._image = image
        self._machines = machines
        self._place = place
        self._running: dict[str, tuple[Machine, ExitStack]] = {}

    def take(self, moment: str) -> Machine:
        """Return the machine whose power failed at `moment`, switched on again."""
        for wanted in filter(None, (moment, NEXT.get(moment))):
            if wanted not in self._running:
                self._switch_on(wanted)
        return self._running[moment][0]

    def give_back(self, moment: str) -> None:
        """Switch a machine off."""
        self._running.pop(moment)[1].close()

    def _switch_on(self, moment: str) -> None:
        directory = copy_directory(self._machines.cuts[moment], self._place / moment.replace(" ", "-"))
        stack = ExitStack()
        self._running[moment] = (stack.enter_context(Machine(self._toolchain, self._image, directory)), stack)

    def end(self) -> None:
        """Switch off what nobody has looked at."""
        for moment in list(self._running):
            self.give_back(moment)


@pytest.fixture(scope="module")
def relay(
    toolchain: Toolchain, image: DiskImage, machine_in_use: MachineInUse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Relay]:
    relay = Relay(toolchain, image, machine_in_use, tmp_path_factory.mktemp("after-power-cuts"))
    yield relay
    relay.end()


@pytest.fixture
def machine_after_cut(moment: str, relay: Relay) -> Iterator[Machine]:
    yield relay.take(moment)
    relay.give_back(moment)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_machine_starts_after_a_power_cut(moment: str, machine_after_cut: Machine) -> None:
    machine = machine_after_cut
    wait_for_client(machine)
    expect_running(machine)
    assert machine.succeed("findmnt --noheadings --output SOURCE /var").strip() == "/dev/mapper/state"
    assert "LUKS2" in machine.succeed("cryptsetup status state")
