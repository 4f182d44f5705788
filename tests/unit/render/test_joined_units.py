"""Units that share the network of the model's server share it and nothing else, whichever of them starts first."""

import pytest

from builder.render import OVERLAYS_DIR

RUNTIME = "claudine-runtime.service"
JOINED = {
    path.name: path.read_text().splitlines()
    for path in OVERLAYS_DIR.glob("*/usr/lib/systemd/system/*.service")
    if f"JoinsNamespaceOf={RUNTIME}" in path.read_text()
}
# System V memory, semaphores and queues, and POSIX queues: what an IPC namespace holds.
SHARED_MEANS = ("shmget", "shmat", "semget", "semop", "msgget", "msgsnd", "msgrcv", "mq_open")


def test_the_client_and_the_attempt_are_in_the_network_of_the_model() -> None:
    assert set(JOINED) == {"claudine-client@.service", "claudine-connect@.service"}


def test_the_server_has_what_the_others_join() -> None:
    server = (OVERLAYS_DIR / f"runtime/usr/lib/systemd/system/{RUNTIME}.j2").read_text().splitlines()
    assert {"PrivateNetwork=yes", "PrivateIPC=yes", "PrivateTmp=disconnected"} <= set(server)


@pytest.mark.parametrize("unit", JOINED)
def test_who_joins_asks_for_the_same_namespaces(unit: str) -> None:
    """Who starts first makes them for all: one that asked for fewer would leave the server without."""
    assert {"PrivateNetwork=yes", "PrivateIPC=yes", "PrivateTmp=disconnected"} <= set(JOINED[unit])


@pytest.mark.parametrize("unit", JOINED)
def test_who_joins_cannot_use_what_is_shared_besides(unit: str) -> None:
    refused = {
        call
        for line in JOINED[unit]
        if line.startswith("SystemCallFilter=~")
        for call in line.removeprefix("SystemCallFilter=~").split()
    }
    assert refused >= set(SHARED_MEANS)
