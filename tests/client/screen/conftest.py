import asyncio
import inspect
from types import SimpleNamespace

import pytest

from claudine.screen import line


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True


@pytest.fixture
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no second pass in the state line, which on a busy machine shows its first one to nobody."""
    monkeypatch.setattr(line, "time", SimpleNamespace(monotonic=lambda: 0.0))
