"""A way to end what a runtime is asked for, while whoever asked waits for it."""

import socket
import time
from typing import Any

_GLANCE_S = 0.1


class Stop:
    """``press()`` may be called from any thread and from a signal handler, at any time, more than once.

    So there is no lock in it, which whoever is interrupted might hold: only values that are written whole.
    """

    def __init__(self) -> None:
        self.pressed = False
        self._connection: socket.socket | None = None

    def press(self) -> None:
        """End it: what waits for the runtime's next byte finds the connection closed."""
        self.pressed = True
        self._hang_up()

    def sleep(self, seconds: float) -> None:
        """Sleep for *seconds*, or until it is pressed."""
        until_s = time.monotonic() + seconds
        while not self.pressed and (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _GLANCE_S))

    def watch(self, event: str, info: dict[str, Any]) -> None:
        """Learn of a request's connection, as httpx's extension ``trace`` tells it."""
        if event == "connection.connect_unix_socket.complete":
            self.hold(info["return_value"].get_extra_info("socket"))

    def hold(self, connection: socket.socket) -> None:
        """Learn of the connection that somebody waits at."""
        self._connection = connection
        # It may have been pressed just before.
        if self.pressed:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            try:
                # Unlike closing, this wakes a thread that reads.
                self._connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The request is over already.
                return
