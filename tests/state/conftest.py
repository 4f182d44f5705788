from pathlib import Path

import pytest

from tests.state.simulated_machine import SimulatedMachine


@pytest.fixture
def machine(tmp_path: Path) -> SimulatedMachine:
    return SimulatedMachine(tmp_path)
