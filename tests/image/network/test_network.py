"""With a driver for the card in the image, the packet filter and the namespaces alone still let nothing out."""

import socket
import struct

import pytest

from builder.vm.machine import Machine
from tests.image.services import unrestricted_service
from tests.support.pcap import frames

OUR_ADDRESS, THEIR_ADDRESS = "192.0.2.7", "192.0.2.1"
THEIR_MAC = bytes.fromhex("020000000001")
# What root does with a card: switch it on, give it an address (netdevice(7)), and send.
SEND = f"""
import fcntl, glob, os, socket, struct
[card] = [os.path.basename(path) for path in glob.glob("/sys/class/net/*") if not path.endswith("/lo")]
name = card.encode()
control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for request, address in ((0x8916, "{OUR_ADDRESS}"), (0x891C, "255.255.255.0")):
    value = struct.pack("16sH2x4s8x", name, socket.AF_INET, socket.inet_aton(address))
    fcntl.ioctl(control, request, value)
fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", name, 1))
def datagram():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes(8), ("{THEIR_ADDRESS}", 9))
def connection():
    socket.create_connection(("{THEIR_ADDRESS}", 443), timeout=3)
def ping():
    request = bytes((8, 0, 247, 255, 0, 0, 0, 0))
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).sendto(request, ("{THEIR_ADDRESS}", 0))
def frame():
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    end.bind((card, 0))
    end.send(b"\\xff" * 6 + bytes(6) + bytes((0x88, 0xB5)) + bytes(50))
"""


def sent(machine: Machine) -> list[bytes]:
    """Return the recorded frames that came from the machine, not from the other end of the cable."""
    return [frame for frame in frames(machine.bench.files.network_capture) if frame[6:12] != THEIR_MAC]


def test_the_card_has_a_driver_and_an_interface(connected: Machine) -> None:
    assert len(connected.succeed("ls /sys/class/net").split()) == 2


def test_a_boot_and_a_chat_send_nothing(connected: Machine) -> None:
    assert "Paris" in connected.succeed("claudine ask 'What is the capital of France?'", timeout_s=600)
    assert sent(connected) == []


@pytest.mark.parametrize("attempt", ["datagram", "connection", "ping", "frame"])
def test_root_cannot_send(connected: Machine, attempt: str) -> None:
    connected.succeed(f"cat >/run/send.py <<'END'\n{SEND}\n{attempt}()\nEND")
    failed = connected.run(f"{unrestricted_service(connected)} python3 -I /run/send.py")
    assert failed.returncode != 0
    assert any(reason in failed.stderr for reason in ("not permitted", "timed out", "No buffer space"))
    assert sent(connected) == []


def ethernet(kind: int, content: bytes) -> bytes:
    return (b"\xff" * 6 + THEIR_MAC + struct.pack(">H", kind) + content).ljust(60, b"\0")


def internet_packet(protocol: int, content: bytes) -> bytes:
    """An IPv4 packet (RFC 791) to the machine."""
    addresses = socket.inet_aton(THEIR_ADDRESS) + socket.inet_aton(OUR_ADDRESS)
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(content), 1, 0, 64, protocol, 0) + addresses
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + content


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


ECHO = struct.pack(">BBHHH", 8, 0, 0, 1, 1)
WHO_HAS = (
    struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1)
    + THEIR_MAC
    + socket.inet_aton(THEIR_ADDRESS)
    + bytes(6)
    + socket.inet_aton(OUR_ADDRESS)
)
SYN = struct.pack(">HHIIBBHHH", 40000, 22, 1, 0, 0x50, 2, 1024, 0, 0)


@pytest.mark.parametrize(
    "frame",
    [
        ethernet(0x0806, WHO_HAS),
        ethernet(0x0800, internet_packet(1, ECHO[:2] + struct.pack(">H", checksum(ECHO)) + ECHO[4:])),
        ethernet(0x0800, internet_packet(6, SYN)),
        ethernet(0x0800, internet_packet(17, struct.pack(">HHHH", 40000, 9, 8, 0))),
    ],
    ids=["who has this address", "ping", "a connection", "a datagram to a closed port"],
)
def test_it_answers_nobody(connected: Machine, cable: socket.socket, frame: bytes) -> None:
    """The card is switched on and has the address that is asked for: root has seen to that above."""
    received = "cat /sys/class/net/e*/statistics/rx_packets"
    before = int(connected.succeed(received))
    cable.send(frame)
    connected.wait_until_succeeds(f"[ $({received}) -gt {before} ]", timeout_s=30)
    assert sent(connected) == []


def test_the_whole_run_sent_nothing(connected: Machine) -> None:
    connected.shutdown()
    assert sent(connected) == []
