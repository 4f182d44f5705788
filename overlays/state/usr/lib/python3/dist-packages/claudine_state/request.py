"""The one line that comes in over a connection, from somebody who is not trusted."""

import os
import select
import time

_LIMIT_BYTES = 4096
_TIMEOUT_S = 10.0


class RequestError(Exception):
    """A request that is not answered; ``str()`` is the sentence for the other end."""


def read_line(source: int) -> bytes:
    """Read up to the first newline or the end. Raises RequestError."""
    line = b""
    deadline = time.monotonic() + _TIMEOUT_S
    while b"\n" not in line:
        ready, _, _ = select.select([source], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise RequestError("The request did not come in time.")
        data = os.read(source, _LIMIT_BYTES)
        line += data
        if len(line) > _LIMIT_BYTES:
            raise RequestError(f"The request is longer than {_LIMIT_BYTES} bytes.")
        if not data:
            break
    return line.partition(b"\n")[0]
