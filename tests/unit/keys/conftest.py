"""Key sets, made once: RSA keys take time, and most tests only spoil a copy."""

import shutil
from pathlib import Path

import pytest

from builder.keys import create_keys, load_or_create_throwaway


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada's key set; never written to."""
    directory = tmp_path_factory.mktemp("keys") / "ada"
    create_keys(directory, "Ada")
    return directory


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody else's key set; never written to."""
    directory = tmp_path_factory.mktemp("keys") / "mallory"
    create_keys(directory, "Mallory")
    return directory


@pytest.fixture(scope="session")
def throwaway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throw-away set, in directories that were not there before; never written to."""
    directory = tmp_path_factory.mktemp("keys") / "cache" / "throwaway"
    load_or_create_throwaway(directory)
    return directory


@pytest.fixture
def key_dir(pristine: Path, tmp_path: Path) -> Path:
    """A copy of Ada's key set that a test may spoil."""
    return Path(shutil.copytree(pristine, tmp_path / "keys"))
