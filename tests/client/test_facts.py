"""What the status line says of the network is what the kernel says, and no more."""

import socket
from pathlib import Path

import pytest

from claudine.facts import look
from tests.support.sealed_machine import CARD, DEV, LISTENING, LO, ROUTE, RUNTIME_SOCKET, UNIX, WAY_OUT, SealedMachine


@pytest.fixture
def machine(tmp_path: Path) -> SealedMachine:
    return SealedMachine(tmp_path)


def line(machine: SealedMachine) -> str:
    return look(RUNTIME_SOCKET, machine.root).line


def test_a_sealed_machine_says_so(machine: SealedMachine) -> None:
    facts = look(RUNTIME_SOCKET, machine.root)
    assert (facts.sealed, facts.is_runtimes, facts.namespace) == (True, True, 4026532001)
    assert facts.line == "LOCAL: only lo, no route, 0 bytes sent"


def test_bytes_that_stayed_on_the_machine_are_told_as_such(machine: SealedMachine) -> None:
    machine.put("proc/self/net/dev", DEV + LO.replace("0        0       0", "0       84       1"))
    assert line(machine) == "LOCAL: only lo, no route, 84 bytes sent, to itself"


def test_an_interface_or_a_route_is_a_way_out(machine: SealedMachine) -> None:
    machine.put("proc/self/net/dev", DEV + LO + CARD)
    assert line(machine).startswith("not sealed: 2 interfaces, 0 routes")
    machine.put("proc/self/net/dev", DEV + LO)
    machine.put("proc/self/net/route", ROUTE + WAY_OUT)
    assert line(machine).startswith("not sealed: 1 interface, 1 route")


def test_a_route_of_ipv6_is_a_way_out_as_well(machine: SealedMachine) -> None:
    with (machine.root / "proc/self/net/ipv6_route").open("a") as file:
        file.write(f"{'0' * 32} 00 {'0' * 32} 00 {'fe80' + '0' * 28} 00000400 00000001 00000000 00000003     eth0\n")
    assert not look(RUNTIME_SOCKET, machine.root).sealed


def test_a_kernel_without_ipv6_has_no_routes_of_it(machine: SealedMachine) -> None:
    (machine.root / "proc/self/net/ipv6_route").unlink()
    assert line(machine).startswith("LOCAL")


@pytest.mark.parametrize(
    "sockets",
    [
        UNIX,
        UNIX + LISTENING.format("/run/claudine-runtime/llama.sock.old"),
        UNIX + LISTENING.format(RUNTIME_SOCKET).replace("00010000", "00000000"),
        UNIX + "0000000000000000: 00000002 00000000 00010000 0001 01 12345\n",
    ],
)
def test_an_empty_network_that_is_not_the_models_is_not_called_local(machine: SealedMachine, sockets: str) -> None:
    machine.put("proc/self/net/unix", sockets)
    assert line(machine) == "only lo, no route; my runtime is not seen here"


def test_the_socket_of_the_model_in_use_is_known_by_its_own_name(machine: SealedMachine) -> None:
    """The name that the client opens is a link, and the kernel lists what it leads to."""
    link = machine.root / RUNTIME_SOCKET.lstrip("/")
    link.parent.mkdir(parents=True)
    link.symlink_to("other_2/llama.sock")
    assert line(machine) == "only lo, no route; my runtime is not seen here"
    machine.put("proc/self/net/unix", UNIX + LISTENING.format("/run/claudine-runtime/other_2/llama.sock"))
    assert line(machine).startswith("LOCAL")


@pytest.mark.parametrize("content", ["", "one\ntwo\nthree\n", "one\ntwo\n  lo: x y\n", "one\ntwo\n" + "lo: 0 " * 3])
def test_what_cannot_be_read_is_unknown(machine: SealedMachine, content: str) -> None:
    machine.put("proc/self/net/dev", content)
    if not content:
        (machine.root / "proc/self/net/dev").unlink()
    assert line(machine).startswith("unknown")


def test_the_kernel_of_this_desk_shows_a_socket_where_it_listens(socket: Path) -> None:
    with listening(socket):
        facts = look(str(socket))
        assert facts.readable
        assert facts.is_runtimes
    assert not look(str(socket)).is_runtimes


def listening(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server
