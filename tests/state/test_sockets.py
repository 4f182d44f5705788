"""Who may ask the services that look after the machine: the client, and not the model's server beside it."""

import re
from pathlib import Path

import pytest

OVERLAYS = Path(__file__).parents[2] / "overlays"
SOCKETS = sorted(OVERLAYS.glob("*/usr/lib/systemd/system/claudine-*.socket"))


def test_there_is_one_for_each_service() -> None:
    assert [socket.stem for socket in SOCKETS] == [
        "claudine-connect",
        "claudine-models",
        "claudine-evidence",
        "claudine-state",
    ]


@pytest.mark.parametrize("socket", SOCKETS, ids=lambda socket: socket.stem)
def test_only_the_clients_user_gets_in(socket: Path) -> None:
    access = dict(re.findall(r"^Socket(User|Group|Mode)=(.*)$", socket.read_text(), re.MULTILINE))
    assert access == {"User": "claudine", "Mode": "0600"}
