"""The image with a driver for the network card in it, and a machine that runs it with somebody at the card's cable."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.suite.plugin import report_directory
from builder.suite.report import ARTEFACTS
from builder.toolchain import open_toolchain
from builder.vm.hardware import Hardware
from builder.vm.machine import Machine
from tests.image.variants import build_variant

PROFILE = Path(__file__).with_name("network-driver.yaml")


@pytest.fixture(scope="session")
def connected(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine whose boot is over, and whose network card works as far as the driver is concerned."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        image = build_variant(PROFILE)
        directory = tmp_path_factory.mktemp("connected")
        kept = report_directory(request.config) / ARTEFACTS / "connected-boot"
        with Machine(
            open_toolchain(), image, directory, hardware=Hardware(network="virtio"), artefacts=kept
        ) as machine:
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
