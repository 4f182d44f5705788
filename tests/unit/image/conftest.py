"""Desks to build at."""

import shutil
from pathlib import Path

import pytest

from tests.support.desk import Desk, furnish_desk, lay_desk


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = furnish_desk(tmp_path_factory.mktemp("desk"))
    assert (done := desk.build()).returncode == 0, done.stderr
    return desk


@pytest.fixture
def built(built_once: Desk, tmp_path: Path) -> Desk:
    """A desk on which the profile has been built."""
    shutil.copytree(built_once.directory, tmp_path, dirs_exist_ok=True, symlinks=True)
    return lay_desk(tmp_path)


@pytest.fixture
def desk(built: Desk) -> Desk:
    """A desk on which nothing has been built yet, though the tools are there."""
    shutil.rmtree(built.directory / "build")
    return built
