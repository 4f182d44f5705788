"""The image under test, booted once for all tests here, unmodified.

    pytest tests/image                                   the latest build of the profile qemu
    pytest tests/image --image PATH                      another image
    CLAUDINEOS_IMAGE=PATH pytest -m image                the same, from anywhere

What is kept of the machine when a test fails lies in build/test-artefacts/, one directory a test.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.errors import BuilderError
from builder.toolchain import open_toolchain
from builder.vm.disk_image import DiskImage, latest_image, open_disk_image
from builder.vm.machine import Machine
from builder.vm.testinfra_backend import guest_host

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ARTEFACTS = ROOT / "build/test-artefacts"
# Taking artefacts takes up to a minute under emulation; after a few failures there is nothing new to see.
MOST_KEPT = 3

MACHINE = pytest.StashKey[Machine]()
KEPT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--image", help="the disk image to test (default: the latest build of the profile qemu)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.image)


@pytest.fixture(scope="session")
def image(request: pytest.FixtureRequest) -> DiskImage:
    named = request.config.getoption("--image", default=None) or os.environ.get("CLAUDINEOS_IMAGE")
    try:
        return open_disk_image(Path(named) if named else latest_image(ROOT / "build/qemu/out"))
    except BuilderError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def machine(
    image: DiskImage, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """A machine that was new when it was switched on, and whose boot is over."""
    directory = tmp_path_factory.mktemp("machine")
    capture: Any = request.config.pluginmanager.getplugin("capturemanager")
    with Machine(open_toolchain(), image, directory, artefacts=ARTEFACTS / "boot") as machine:
        request.config.stash[MACHINE] = machine
        try:
            # Minutes without a word look like a hang.
            with capture.global_and_fixture_disabled():
                machine.wait_for_boot()
            yield machine
        finally:
            # From here on there is nothing left to keep for a test.
            del request.config.stash[MACHINE]
        # The last test: the power button turns the machine off.
        machine.qmp.execute("system_powerdown")
        machine.wait_for_power_off(timeout_s=180)


@pytest.fixture(scope="session")
def host(machine: Machine) -> Any:
    """testinfra's view of the guest, as root."""
    return guest_host(machine)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what the machine looks like at the moment a test fails."""
    report = yield
    machine = item.config.stash.get(MACHINE, None)
    kept_before = item.config.stash.get(KEPT, 0)
    if report.failed and machine is not None and kept_before < MOST_KEPT:
        item.config.stash[KEPT] = kept_before + 1
        kept = machine.keep_artefacts(ARTEFACTS / item.name.replace("/", "_"))
        report.sections.append(("Kept of the machine", "\n".join(map(str, kept))))
    return report
