from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.simulated_models import SimulatedModels
from tests.support.model_image import Owner


@pytest.fixture(scope="session")
def owner() -> Owner:
    return Owner("Ada Lovelace ClaudineOS verity")


@pytest.fixture(scope="session")
def stranger() -> Owner:
    return Owner("somebody else")


@pytest.fixture
def models(tmp_path: Path, owner: Owner) -> Iterator[SimulatedModels]:
    """A machine with the image's own model in use, and no other."""
    machine = SimulatedModels(tmp_path, owner)
    yield machine
    machine.close()
