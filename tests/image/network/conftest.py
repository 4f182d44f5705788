"""The image with a driver for the network card in it, and a machine that runs it with somebody at the card's cable."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.image import BuildLayout, build_image
from builder.keys import load_or_create_throwaway
from builder.profile import load_profile
from builder.suite.plugin import report_directory
from builder.suite.report import ARTEFACTS
from builder.toolchain import open_toolchain
from builder.vm.disk_image import open_disk_image
from builder.vm.hardware import Hardware
from builder.vm.machine import Machine

PROFILE = Path(__file__).with_name("network-driver.yaml")
BUILD_DIRECTORY = Path(__file__).parents[3] / "build"


@pytest.fixture(scope="session")
def connected(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine whose boot is over, and whose network card works as far as the driver is concerned."""
    resolved = load_profile(str(PROFILE))
    layout = BuildLayout(BUILD_DIRECTORY, resolved.profile.name)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        artifacts = build_image(resolved, load_or_create_throwaway(layout.throwaway_keys), layout)
        image = open_disk_image(layout.out / artifacts.image)
        directory = tmp_path_factory.mktemp("connected")
        kept = report_directory(request.config) / ARTEFACTS / "connected-boot"
        with Machine(open_toolchain(), image, directory, hardware=Hardware(network=True), artefacts=kept) as machine:
            machine.wait_for_boot()
            yield machine


@pytest.fixture
def cable(connected: Machine) -> Iterator[socket.socket]:
    """The other end of the card's cable: what is sent here arrives at the card."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(connected.bench.sockets.network_peer))
        end.connect(str(connected.bench.sockets.network))
        yield end
        connected.bench.sockets.network_peer.unlink()
