"""Debian's llama-server, as it is in the image, with a model that says nothing sensible. It needs the tools tree.

pytest -m server
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.toolchain import Toolchain, open_toolchain
from builder.vm.lifeline import Process, end, start_tied
from claudine.runtime import Runtime
from claudine.stop import Stop
from tests.support.tiny_model import write_tiny_model

HERE = Path(__file__).parent
CONTEXT = 4096


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.server)


class Server:
    """A llama-server at `socket`, with the options of the image's unit where they change what a client sees."""

    def __init__(self, toolchain: Toolchain, model: Path, socket: Path) -> None:
        self._toolchain = toolchain
        self._model = model
        self.socket = socket
        self._process: Process | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        # One that was killed leaves its socket, and the next one cannot listen there; systemd takes the directory away.
        self.socket.unlink(missing_ok=True)
        argv = ["llama-server", "--host", str(self.socket), "--model", str(self._model), "--ctx-size", str(CONTEXT)]
        argv += ["--parallel", "1", "--cache-ram", "0", "--fit", "off", "--load-mode", "none", "--no-warmup"]
        argv += ["--offline", "--no-ui", "--threads", "1", "--ignore-eos"]
        self._process = start_tied(self._toolchain, argv, output=self.socket.with_suffix(".log"))
        for state, elapsed_s in Runtime(str(self.socket)).until_ready(Stop()):
            assert elapsed_s < 60, state

    def end(self) -> None:
        """End it, whatever it is doing."""
        if self._process is not None:
            end(self._process)


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return open_toolchain()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write_tiny_model(path)
    return path


@pytest.fixture
def server(toolchain: Toolchain, model: Path, tmp_path: Path) -> Iterator[Server]:
    server = Server(toolchain, model, tmp_path / "llama.sock")
    server.start()
    yield server
    server.end()
