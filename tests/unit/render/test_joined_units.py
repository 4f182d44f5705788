"""Units that share the network of the model's server share it and nothing else, whichever of them starts first."""

import pytest

from builder.render import OVERLAYS_DIR

NETWORK = "claudine-network.service"
JOINED = {
    path.name: path.read_text().splitlines()
    for path in OVERLAYS_DIR.glob("*/usr/lib/systemd/system/*.service")
    if f"JoinsNamespaceOf={NETWORK}" in path.read_text()
}
# System V memory, semaphores and queues, and POSIX queues: what an IPC namespace holds.
SHARED_MEANS = ("shmget", "shmat", "semget", "semop", "msgget", "msgsnd", "msgrcv", "mq_open")


def test_model_client_and_attempt_are_in_one_network() -> None:
    assert set(JOINED) == {"claudine-client@.service", "claudine-connect@.service", "claudine-runtime@.service"}


def test_that_network_is_there_before_and_whichever_model_runs() -> None:
    hub = (OVERLAYS_DIR / f"runtime/usr/lib/systemd/system/{NETWORK}").read_text().splitlines()
    assert {"PrivateNetwork=yes", "PrivateIPC=yes", "RemainAfterExit=yes"} <= set(hub)
    for lines in JOINED.values():
        assert f"After={NETWORK}" in lines


@pytest.mark.parametrize("unit", JOINED)
def test_who_joins_has_a_network_of_its_own(unit: str) -> None:
    assert "PrivateNetwork=yes" in JOINED[unit]


@pytest.mark.parametrize("unit", JOINED)
def test_who_joins_cannot_use_what_is_shared_besides(unit: str) -> None:
    refused = {
        call
        for line in JOINED[unit]
        if line.startswith("SystemCallFilter=~")
        for call in line.removeprefix("SystemCallFilter=~").split()
    }
    assert refused >= set(SHARED_MEANS)
