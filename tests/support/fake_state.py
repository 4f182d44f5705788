"""The service that looks after the disk, as a test wants it: a unix socket, and a line of JSON each way.

    with FakeState(tmp_path / "control", unlock="passphrase") as service: ...

Each new key differs from the one before. The folder *stick* is what is on the one stick that is in.
With *failing*, the requests of that name are answered with an error.
"""

import json
import socketserver
from pathlib import Path
from typing import Any

from tests.support.service import UnixService

STICK: dict[str, object] = {
    "id": "17-1",
    "label": "HOLIDAY",
    "size_bytes": 10**9,
    "model": "Acme",
    "file_system": "vfat",
}
_LETTERS = "cbdefghijklnrtuv"


class FakeState(UnixService):
    """Listens at *socket* while the ``with`` lasts."""

    def __init__(
        self,
        socket: Path,
        *,
        unlock: str = "tpm2",
        recovery_key: str = "none",
        free_bytes: int = 500 * 1024**2,
        failing: str = "",
        stick: Path | None = None,
    ) -> None:
        self.sticks: list[dict[str, object]] = [STICK] if stick else []
        self.opened: list[str] = []
        self.stick_is_open = False
        self._stick = stick
        self.requests: list[str] = []
        self.keys: list[str] = []
        self.recovery_key = recovery_key
        self._unlock = unlock
        self._free_bytes = free_bytes
        self._failing = failing
        super().__init__(socket, _Handler)

    def answer(self, request: str, stick: str = "") -> dict[str, Any]:
        """Do what *request* asks, with a *stick* of that id if it is about one."""
        self.requests.append(request)
        if request == self._failing:
            return {"error": "The TPM is\n busy \x1b[31mtoday."}
        match request:
            case "status":
                return {
                    "unlock": self._unlock,
                    "recovery_key": self.recovery_key,
                    "size_bytes": 1024**3,
                    "free_bytes": self._free_bytes,
                }
            case "new-recovery-key":
                self.recovery_key = "unconfirmed"
                shift = len(self.keys)
                groups = (_LETTERS[(shift + n) % 16 :] + _LETTERS for n in range(0, 16, 2))
                self.keys.append("-".join(group[:8] for group in groups))
                return {"recovery_key": self.keys[-1]}
            case "confirm-recovery-key":
                self.recovery_key = "confirmed"
                return {}
            case "factory-reset" | "apply-settings":
                return {}
            case "sticks":
                return {"sticks": self.sticks}
            case "open-stick":
                self.stick_is_open = True
                self.opened.append(stick)
                return {"path": str(self._stick)}
            case "close-stick":
                self.stick_is_open = False
                return {}
            case "power-off" | "restart":
                return {}
        return {"error": "I do not know that request."}


class _Handler(socketserver.StreamRequestHandler):
    server: FakeState

    def handle(self) -> None:
        request = json.loads(self.rfile.readline())
        self.wfile.write(json.dumps(self.server.answer(**request)).encode() + b"\n")
