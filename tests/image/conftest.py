"""The image under test, booted once for all tests of the group main, unmodified.

    claudineos test                                      the latest build of the profile qemu, with a report
    pytest tests/image --image PATH                      by hand, with all that pytest can do
    CLAUDINEOS_IMAGE=PATH pytest -m image                the same, from anywhere

What is kept of the machine when a test fails lies in the report's directory (by hand: build/test-artefacts/), one
directory a test.
"""

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.errors import BuilderError, ToolError
from builder.image import Artifacts, BuildLayout
from builder.image.absence import read_bill
from builder.keys import KeySet, load_keys
from builder.run import run
from builder.suite.groups import GROUPS
from builder.suite.plugin import NOTES, artefacts_directory, report_directory
from builder.suite.report import ARTEFACTS
from builder.toolchain import open_toolchain
from builder.vm.disk_image import DiskImage, latest_image, open_disk_image
from builder.vm.hardware import Hardware
from builder.vm.machine import Machine
from builder.vm.testinfra_backend import guest_host
from tests.image.services import unrestricted_service
from tests.image.stick import STICK_BYTES

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# On the shared machine an owner's life passes: what comes between these two finds a machine in use.
FIRST, LAST = HERE / "test_first_boot.py", HERE / "test_power_off.py"
# With machines of its own, for which there is room when the shared one is off.
FLASH = HERE / "test_flash.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--image", help="the disk image to test (default: the latest build of the profile qemu)")
    parser.addoption("--report", help="where artefacts of failures go (default: build/test-artefacts)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if HERE in item.path.parents]
    for item in mine:
        item.add_marker(pytest.mark.image)
        item.add_marker(group(item.path))
    # One group after the other, so that only one machine runs at a time.
    mine.sort(key=lambda item: (list(GROUPS).index(group(item.path)), place(item.path)))
    items[:] = [item for item in items if item not in mine] + mine


def place(file: Path) -> int:
    """Where a file comes in its group."""
    return {FIRST: 0, LAST: 2, FLASH: 3}.get(file, 1)


def group(file: Path) -> str:
    """The group of checks that a file is in, by its folder; builder/suite/groups.py says what each is."""
    return file.parent.name if file.parent.name in GROUPS else "main"


def chosen_image(config: pytest.Config) -> Path:
    """The image that was asked for, which need not exist."""
    named = config.getoption("--image", default=None) or os.environ.get("CLAUDINEOS_IMAGE")
    return Path(named) if named else latest_image(ROOT / "build/qemu/out")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each claim of the bill of absence beside the image; that there is a bill is a test of its own."""
    if "claim" in metafunc.fixturenames:
        try:
            claims = read_bill(chosen_image(metafunc.config).parent)
        except BuilderError:
            claims = ()
        metafunc.parametrize("claim", claims, ids=lambda claim: claim.absent)


@pytest.fixture(scope="session")
def image(request: pytest.FixtureRequest) -> DiskImage:
    try:
        return open_disk_image(chosen_image(request.config))
    except BuilderError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def artifacts(image: DiskImage) -> Artifacts:
    return Artifacts.read(image.path.parent)


@pytest.fixture(scope="session")
def owner_keys(image: DiskImage, artifacts: Artifacts) -> KeySet:
    """The keys that signed the image, where they are beside it as a build of one's own leaves them."""
    profile_directory = image.path.parent.parent
    layout = BuildLayout(profile_directory.parent, profile_directory.name)
    if not layout.throwaway_keys.is_dir():
        pytest.skip(f"the keys that signed this image are not in {layout.throwaway_keys}")
    keys = load_keys(layout.throwaway_keys)
    if artifacts.certificates["db"] != keys.db.certificate.sha256:
        pytest.skip(f"other keys than those in {layout.throwaway_keys} signed this image")
    return keys


@pytest.fixture(scope="session")
def record_note(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Put something that was measured into the report: a name, and anything that JSON can hold."""
    notes = request.config.stash.setdefault(NOTES, {})
    return notes.__setitem__


@pytest.fixture
def artefacts(request: pytest.FixtureRequest) -> Path:
    """Where a test keeps what helps to find the cause of its failure, for machines of its own."""
    return artefacts_directory(request.node)


@pytest.fixture(scope="session")
def machine(
    image: DiskImage,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    record_note: Callable[[str, object], None],
) -> Iterator[Machine]:
    """A machine that was new when it was switched on, and whose boot is over. Its network card is watched."""
    directory = tmp_path_factory.mktemp("machine")
    kept = report_directory(request.config) / ARTEFACTS / "boot"
    capture: Any = request.config.pluginmanager.getplugin("capturemanager")
    booted = False
    try:
        with Machine(
            open_toolchain(), image, directory, hardware=Hardware(network="virtio"), artefacts=kept
        ) as machine:
            # Minutes without a word look like a hang.
            with capture.global_and_fixture_disabled():
                machine.wait_for_boot()
            booted = True
            record_note("first_boot_s", round(machine.watch.uptime_s, 1))
            yield machine
    except ToolError as error:
        if booted:
            raise
        # All tests of this machine would fail alike.
        pytest.exit(f"the machine did not start: {error}", returncode=error.exit_code)


@pytest.fixture(scope="session")
def picture(machine: Machine, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a picture of the screen under this name, as docs/ shows it; in `pictures` of the report's directory."""
    directory = report_directory(request.config) / "pictures"
    directory.mkdir(parents=True, exist_ok=True)
    return lambda name: machine.screenshot(directory / f"{name}.png")


@pytest.fixture(scope="session")
def host(machine: Machine) -> Any:
    """testinfra's view of the guest, as root."""
    return guest_host(machine)


@pytest.fixture
def unrestricted(machine: Machine) -> str:
    """What to put before a command that shall open sockets. It is in /run, so a restart takes it away."""
    return unrestricted_service(machine)


@pytest.fixture
def vfat(tmp_path: Path) -> Path:
    """The image of a USB stick called HOLIDAY, with a text file on it."""
    stick = tmp_path / "stick.img"
    stick.write_bytes(bytes(STICK_BYTES))
    (tmp_path / "note.txt").write_text("a note\n")
    for command in (
        ["mkfs.vfat", "-n", "HOLIDAY", str(stick)],
        ["mcopy", "-i", str(stick), str(tmp_path / "note.txt"), "::note.txt"],
    ):
        run(open_toolchain().box(command))
    return stick


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what the machines of a test look like at the moment it fails."""
    report = yield
    if report.failed:
        for machine in (value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Machine)):
            kept = machine.keep_artefacts(artefacts_directory(item))
            report.sections.append(("Kept of the machine", "\n".join(map(str, kept))))
    return report
