"""The server of one model, as whoever starts it sees it: HTTP on a unix socket, one request a connection."""

import json
import os
import socket
from pathlib import Path

_READY_S = 5.0
# An emulated machine reads two tokens a second, and this is one token.
_ANSWER_S = 600.0
_LIMIT_BYTES = 1 << 20


def is_ready(path: Path) -> bool:
    """Say whether the weights are loaded."""
    try:
        return _ask(path, b"GET /health HTTP/1.0\r\n\r\n", _READY_S).split(b" ", 2)[1:2] == [b"200"]
    except OSError:
        return False


def answers(path: Path) -> bool:
    """Have it say one token, and keep nothing of it."""
    body = json.dumps({"prompt": "\n", "n_predict": 1, "cache_prompt": False}).encode()
    head = f"POST /completion HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    try:
        return _ask(path, head.encode() + body, _ANSWER_S).split(b" ", 2)[1:2] == [b"200"]
    except OSError:
        return False


def _ask(path: Path, request: bytes, timeout_s: float) -> bytes:
    # By the folder's descriptor, so that the name is never too long for a socket.
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
            connection.sendall(request)
            received = b""
            while len(received) < _LIMIT_BYTES and (data := connection.recv(65536)):
                received += data
            return received
    finally:
        os.close(folder)
