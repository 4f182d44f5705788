"""What the kernel says of the network that this process is in. Reading it costs next to nothing.

    facts = look("/run/claudine-runtime/llama.sock")
    facts.line          → "LOCAL: only lo, no route, 0 bytes sent"

On a ClaudineOS machine the client is in the network of the model's server (``JoinsNamespaceOf=``), so what it reads of
its own is true of both. That is not taken for granted: the kernel lists a listening socket in the network that it was
opened in, and in no other.
"""

from dataclasses import dataclass
from pathlib import Path

from claudine.voice import proof as voice

LOOPBACK = "lo"
# proc(5): the header of /proc/net/dev, and the columns behind a name.
_DEV_HEADER_LINES, _RECEIVED, _SENT = 2, 0, 8
# __SO_ACCEPTCON in the flags of /proc/net/unix: somebody listens.
_LISTENS = 0x10000


@dataclass(frozen=True)
class Interface:
    """A network interface, with the bytes that it has carried since its network was made."""

    name: str
    received_bytes: int
    sent_bytes: int


@dataclass(frozen=True)
class Facts:
    """One look at a network: *routes* lead elsewhere than to lo, *namespace* is its inode.

    *is_runtimes* says whether this is known to be the network of the model's server. *readable* is False where /proc
    does not tell.
    """

    interfaces: tuple[Interface, ...] = ()
    routes: int = 0
    namespace: int | None = None
    is_runtimes: bool = False
    readable: bool = True

    @property
    def sealed(self) -> bool:
        """Say whether there is nothing that could carry a byte away."""
        return self.readable and not self.routes and {one.name for one in self.interfaces} <= {LOOPBACK}

    @property
    def sent_bytes(self) -> int:
        """Return how many bytes all interfaces have sent, lo among them: the machine to itself."""
        return sum(one.sent_bytes for one in self.interfaces)

    @property
    def line(self) -> str:
        """Return the facts in one short line, for a person."""
        if not self.readable:
            return voice.FACTS_UNREADABLE
        if not self.sealed:
            return voice.not_sealed(len(self.interfaces), self.routes)
        return voice.sealed(self.sent_bytes) if self.is_runtimes else voice.FACTS_NOT_THE_RUNTIMES


def look(runtime_socket: str, root: Path = Path("/")) -> Facts:
    """Read what there is to know now. Never raises."""
    net = root / "proc/self/net"
    try:
        return Facts(
            interfaces=parse_interfaces((net / "dev").read_text()),
            routes=count_routes((net / "route").read_text(), _read(net / "ipv6_route")),
            namespace=parse_namespace((root / "proc/self/ns/net").readlink().name),
            is_runtimes=_listens_here((net / "unix").read_text(errors="replace"), _own_name(runtime_socket, root)),
        )
    except (OSError, ValueError):
        return Facts(readable=False)


def parse_interfaces(dev: str) -> tuple[Interface, ...]:
    """Read the text of /proc/net/dev. ValueError if it is none."""
    found = []
    for line in dev.splitlines()[_DEV_HEADER_LINES:]:
        name, separator, numbers = line.partition(":")
        columns = numbers.split()
        if not separator or len(columns) <= _SENT:
            raise ValueError("not a line of /proc/net/dev")
        found.append(Interface(name.strip(), int(columns[_RECEIVED]), int(columns[_SENT])))
    return tuple(found)


def count_routes(route: str, ipv6_route: str) -> int:
    """Count the routes in /proc/net/route and /proc/net/ipv6_route that lead elsewhere than to lo."""
    version_4 = [line.split()[0] for line in route.splitlines()[1:] if line.strip()]
    version_6 = [line.split()[-1] for line in ipv6_route.splitlines() if line.strip()]
    return sum(interface != LOOPBACK for interface in version_4 + version_6)


def parse_namespace(link: str) -> int:
    """Return the inode in ``net:[4026531840]``. ValueError if there is none."""
    return int(link.removeprefix("net:[").removesuffix("]"))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        # A kernel that has no IPv6.
        return ""


def _own_name(socket: str, root: Path) -> str:
    """Return the name that the server in use has opened its socket by, which *socket* is a link to."""
    try:
        return str(Path(socket).parent / (root / socket.lstrip("/")).readlink())
    except OSError:
        return socket


def _listens_here(unix: str, socket: str) -> bool:
    # Num RefCount Protocol Flags Type St Inode Path
    rows = (line.split(maxsplit=7) for line in unix.splitlines()[1:])
    return any(len(row) == 8 and row[7] == socket and int(row[3], 16) & _LISTENS for row in rows)
