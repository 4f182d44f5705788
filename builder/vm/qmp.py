"""QEMU's monitor (QMP), for code that is not asynchronous.

`qemu.qmp` is asyncio; a machine is driven step by step. The loop runs only while a command is under way, so there is
no thread: events wait in the socket until then, which is why `poll` asks QEMU something before it looks at them.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qemu.qmp import ExecuteError, QMPClient, QMPError

from builder.errors import ToolError

COMMAND_TIMEOUT_S = 60.0

# It reports each hang-up as an error, also the one that a power-off is.
logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL + 1)


class QmpError(ToolError):
    """QEMU refused a command, or is gone."""


@dataclass(frozen=True)
class Event:
    """Something that happened to the machine (QEMU's QMP reference, "Events")."""

    name: str
    data: dict[str, Any]


class Qmp:
    """A connection to a running QEMU; `close` it."""

    def __init__(self, socket: Path) -> None:
        self._runner = asyncio.Runner()
        self._client = QMPClient("claudineos")
        try:
            self._runner.run(asyncio.wait_for(self._client.connect(str(socket)), COMMAND_TIMEOUT_S))
        except (QMPError, OSError, TimeoutError) as error:
            self._runner.close()
            raise QmpError(f"QEMU's monitor does not answer: {error}") from error

    def execute(self, command: str, **arguments: object) -> Any:
        """Run a QMP command and return its value."""
        try:
            return self._runner.run(
                asyncio.wait_for(self._client.execute(command, arguments or None), COMMAND_TIMEOUT_S)
            )
        except ExecuteError as error:
            raise QmpError(f"QEMU refused {command}: {error}") from error
        except (QMPError, OSError, EOFError, TimeoutError) as error:
            raise QmpError(f"QEMU is gone or does not answer ({command})") from error

    def status(self) -> str:
        """Return the machine's state, for example running, paused or internal-error; "" when QEMU is gone."""
        try:
            return str(self.execute("query-status")["status"])
        except QmpError:
            return ""

    def poll(self) -> list[Event]:
        """Return what has happened since the last call; works after QEMU has ended, too."""
        self.status()
        return [_event(message) for message in self._client.events.clear()]

    def close(self) -> None:
        """Hang up; never fails."""
        try:
            self._runner.run(asyncio.wait_for(self._client.disconnect(), COMMAND_TIMEOUT_S))
        except (QMPError, OSError, EOFError, TimeoutError):
            pass
        finally:
            self._runner.close()


def _event(message: Mapping[str, Any]) -> Event:
    return Event(message["event"], message.get("data", {}))
