"""A server in a thread of its own, while a ``with`` lasts."""

import socketserver
import threading
from pathlib import Path
from types import TracebackType
from typing import Self


class Service(socketserver.ThreadingMixIn, socketserver.BaseServer):
    """Each connection is answered in another thread."""

    daemon_threads = True

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class UnixService(Service, socketserver.UnixStreamServer):
    """Listens at *socket*."""

    def __init__(self, socket: Path, handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(str(socket), handler)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        Path(str(self.server_address)).unlink()
