"""A service at a unix socket, in a thread of its own, while a ``with`` lasts."""

import socketserver
import threading
from pathlib import Path
from types import TracebackType
from typing import Self


class UnixService(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Each connection to *socket* is a *handler*'s, in its own thread."""

    daemon_threads = True

    def __init__(self, socket: Path, handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(str(socket), handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        Path(str(self.server_address)).unlink()
