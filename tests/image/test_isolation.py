"""No network: no driver for the card that is there, no unit that may name one, no packet that passes."""

import json
from typing import Any

import pytest

from builder.vm.machine import Machine

FAMILIES = {"AF_INET", "AF_INET6", "AF_PACKET", "AF_VSOCK", "AF_BLUETOOTH"}
# Started for one attempt to connect out, from a network without a way: the owner watches it fail.
CONNECT = "claudine-connect@"
SEND = 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes(8), ("{address}", 9))'


def test_the_card_has_no_driver(machine: Machine) -> None:
    cards = machine.succeed("grep -l 0x0200 /sys/bus/pci/devices/*/class").split()
    assert len(cards) == 1
    # virtio devices sit on a bus of their own; network cards have the id 1 (virtio specification, 5).
    drivers = machine.run(
        "for d in $(grep -l 0x0001 /sys/bus/virtio/devices/*/device); do ls -d ${d%/device}/driver; done"
    )
    assert drivers.stdout == ""


def test_no_service_may_open_a_network_socket(machine: Machine) -> None:
    show = "systemctl show --property=Id --property=RestrictAddressFamilies '*.service'"
    for shown in machine.succeed(show, timeout_s=120).strip().split("\n\n"):
        properties = dict(line.split("=", 1) for line in shown.splitlines())
        if properties["Id"].startswith(CONNECT):
            continue
        named = properties["RestrictAddressFamilies"]
        families = set(named.removeprefix("~").split())
        denied = families >= FAMILIES if named.startswith("~") else not families & FAMILIES
        assert denied, f"{properties['Id']}: {named}"


def test_the_one_service_that_may_open_network_sockets_has_a_network_without_a_way(host: Any) -> None:
    names = ("RestrictAddressFamilies", "PrivateNetwork", "CapabilityBoundingSet", "DynamicUser", "JoinsNamespaceOf")
    shown = {name: host.check_output(f"systemctl show --property={name} --value {CONNECT}x.service") for name in names}
    assert set(shown["RestrictAddressFamilies"].split()) == {"AF_INET", "AF_INET6"}
    assert (shown["PrivateNetwork"], shown["CapabilityBoundingSet"], shown["DynamicUser"]) == ("yes", "", "yes")
    assert "claudine-network.service" in shown["JoinsNamespaceOf"].split()


def test_the_packet_filter_drops_everything_both_ways(machine: Machine) -> None:
    rules = json.loads(machine.succeed("nft --json list ruleset"))["nftables"]
    chains = [entry["chain"] for entry in rules if "chain" in entry]
    assert {chain["policy"] for chain in chains} == {"drop"}
    assert {(chain["family"], chain["hook"]) for chain in chains} >= {
        ("inet", "input"),
        ("inet", "forward"),
        ("inet", "output"),
        ("arp", "input"),
        ("arp", "output"),
        ("netdev", "egress"),
    }
    for rule in (entry["rule"] for entry in rules if "rule" in entry):
        # Nothing is let through but what a program sends to the same machine.
        assert [part["match"]["right"] for part in rule["expr"] if "match" in part] == ["lo"], (
            f"a packet may pass: {rule['expr']}"
        )


def test_a_service_cannot_open_a_network_socket(host: Any) -> None:
    refused = host.run(f"systemd-run --quiet --wait --pipe python3 -I -c '{SEND.format(address='127.0.0.1')}'")
    assert "Address family not supported" in refused.stderr


@pytest.mark.parametrize("address", ["192.0.2.1", "255.255.255.255"])
def test_a_packet_of_roots_own_goes_nowhere(host: Any, unrestricted: str, address: str) -> None:
    refused = host.run(f"{unrestricted} python3 -I -c '{SEND.format(address=address)}'")
    assert refused.rc != 0
    assert "Network is unreachable" in refused.stderr or "Operation not permitted" in refused.stderr
