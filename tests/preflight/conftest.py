from pathlib import Path

import pytest

from tests.preflight.simulated_hardware import SimulatedHardware


@pytest.fixture
def hardware(tmp_path: Path) -> SimulatedHardware:
    return SimulatedHardware(tmp_path)
