"""An attempt to reach something outside, and what the kernel says to it.

    python3 -I -m claudine.attempt      one line of JSON: where it was tried from, and how each try ended

``claudine-connect.socket`` runs it in the network of the model's server, with the right to open sockets and no other.
The client itself comes no further than ``open_sockets``. The addresses are those of documentation (RFC 5737, RFC 3849):
nobody has them, so nobody is bothered where the way is open.
"""

import errno
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

_TIMEOUT_S = 5.0
_PORT = 443
_ADDRESSES = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
_KINDS = {socket.SOCK_STREAM: "TCP", socket.SOCK_DGRAM: "UDP"}

# What the kernel says when it knows no way: there is no route, or no address of its own to send from.
NO_WAY_OUT = ("ENETUNREACH", "EADDRNOTAVAIL")
NO_SUCH_SOCKET = ("EAFNOSUPPORT",)


@dataclass(frozen=True)
class Attempt:
    """What was tried, the name of the error it ended with (empty if there was none), and the error in words."""

    what: str
    error: str
    words: str


def open_sockets() -> tuple[Attempt, ...]:
    """Try to open a socket of each family, and send nothing."""
    return tuple(_try(family.name, family, socket.SOCK_STREAM, None) for family in _ADDRESSES)


def connect_out() -> tuple[Attempt, ...]:
    """Try to connect, and to send a datagram, to addresses outside."""
    return tuple(
        _try(f"{name} to {address} port {_PORT}", family, kind, (address, _PORT))
        for kind, name in _KINDS.items()
        for family, address in _ADDRESSES.items()
    )


def _try(what: str, family: int, kind: int, target: tuple[str, int] | None) -> Attempt:
    try:
        with socket.socket(family, kind) as connection:
            connection.settimeout(_TIMEOUT_S)
            if target and kind == socket.SOCK_DGRAM:
                connection.sendto(b"claudine", target)
            elif target:
                connection.connect(target)
    except TimeoutError:
        # Not the kernel's refusal: the packets went somewhere.
        return Attempt(what, "ETIMEDOUT", os.strerror(errno.ETIMEDOUT))
    except OSError as error:
        number = error.errno or 0
        return Attempt(what, errno.errorcode.get(number, str(number)), os.strerror(number))
    return Attempt(what, "", "")


if __name__ == "__main__":
    import json

    attempts = [asdict(attempt) for attempt in connect_out()]
    print(json.dumps({"namespace": str(Path("/proc/self/ns/net").readlink()), "attempts": attempts}), flush=True)
