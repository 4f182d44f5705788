import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.fake_lsblk import write_lsblk


@pytest.fixture
def lsblk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have lsblk list these devices."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return partial(write_lsblk, tmp_path)
