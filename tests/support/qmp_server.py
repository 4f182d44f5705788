"""A QEMU monitor that says what it is told to, for code that watches machines."""

import json
import socket
import threading
from contextlib import suppress
from pathlib import Path

GREETING: dict[str, object] = {
    "QMP": {"version": {"qemu": {"major": 11, "minor": 1, "micro": 0}, "package": ""}, "capabilities": []}
}


class QmpServer:
    """Listens on `path`; answers each command with `answers[command]`, an error where there is none."""

    def __init__(self, path: Path) -> None:
        self.answers: dict[str, object] = {"qmp_capabilities": {}, "query-status": {"status": "running"}}
        self.commands: list[dict[str, object]] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def emit(self, event: str, **data: object) -> None:
        """Send an event."""
        self._send({"event": event, "data": data, "timestamp": {"seconds": 0, "microseconds": 0}})

    def close(self) -> None:
        """Hang up, as a QEMU that ends does."""
        # A listener that is shut down wakes a thread that waits in accept(); one that is closed does not.
        with suppress(OSError):
            (self._connection or self._listener).shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        if self._connection is not None:
            self._connection.close()

    def _serve(self) -> None:
        try:
            self._connection = self._listener.accept()[0]
        except OSError:
            return
        self._send(GREETING)
        received = ""
        while data := self._connection.recv(1 << 16):
            received += data.decode()
            # Nothing but its own end separates one command from the next.
            while received.strip():
                try:
                    command, end = json.JSONDecoder().raw_decode(received.lstrip())
                except ValueError:
                    break
                received = received.lstrip()[end:]
                self._answer(command)

    def _answer(self, command: dict[str, object]) -> None:
        self.commands.append(command)
        answer = self.answers.get(str(command["execute"]))
        reply: dict[str, object] = {"return": answer}
        if answer is None:
            reply = {"error": {"class": "GenericError", "desc": "no such thing"}}
        self._send({"id": command["id"], **reply} if "id" in command else reply)

    def _send(self, message: dict[str, object]) -> None:
        assert self._connection is not None
        self._connection.sendall(json.dumps(message).encode() + b"\n")
