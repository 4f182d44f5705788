"""The bill of absence: from the overlays' claims to the file beside the image."""

import json
import re
from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.image.absence import ABSENCE, bill_of_absence, read_bill
from builder.profile import load_profile
from builder.render import OVERLAYS_DIR
from builder.render.overlay import Overlay, load_overlays
from builder.run import run


@pytest.fixture(scope="module")
def overlays() -> tuple[Overlay, ...]:
    """The overlays of the image that ships."""
    return load_overlays(load_profile("qemu"), OVERLAYS_DIR)


def test_the_bill_names_each_claim_its_command_and_its_overlay(overlays: tuple[Overlay, ...], tmp_path: Path) -> None:
    text = bill_of_absence("claudineos_0.1.0", overlays)
    bill = json.loads(text)
    assert (bill["schema"], bill["image"]) == (1, "claudineos_0.1.0")
    assert {
        "absent": "users with a password",
        "command": "sed -nE '/^[^:]*:[!*]/!s/:.*//p' /etc/shadow",
        "overlay": "base",
    } in bill["absent"]
    (tmp_path / ABSENCE).write_text(text)
    assert [claim.absent for claim in read_bill(tmp_path)] == [claim["absent"] for claim in bill["absent"]]


def test_no_two_overlays_claim_the_same(overlays: tuple[Overlay, ...]) -> None:
    claims = [absent for overlay in overlays for absent in overlay.description.absent]
    assert len(set(claims)) == len(claims) > 20


def test_the_commands_are_shell(overlays: tuple[Overlay, ...]) -> None:
    """A claim is only looked for in a machine that takes minutes to boot; a missing quote is found here."""
    for overlay in overlays:
        for absent, command in overlay.description.absent.items():
            parsed = run(["sh", "-n", "-c", command], check=False)
            assert parsed.returncode == 0, f"{absent}: {parsed.stderr}"


# Programs that would be found wherever they are, and others of the image whose names look like them.
NAMES = [
    ("programs that log in or change the user", ["su", "login", "passwd", "chsh"], ["sum", "systemd-logind"]),
    ("ssh and other remote shells", ["sshd", "ssh", "in.telnetd"], ["systemd-run"]),
    ("package managers", ["dpkg", "dpkg-query", "apt-get", "pip3", "pip3.14"], ["pipesz"]),
    ("compilers, linkers and debuggers", ["gcc", "x86_64-linux-gnu-as", "ld", "make", "strace"], ["ld.so", "ldd"]),
    ("interpreters, but sh and Python", ["perl5.42", "bash", "mawk", "lua5.4"], ["dash", "python3.14", "sh"]),
    ("programs that fetch from or connect to a network", ["curl", "wget", "nc.openbsd"], ["sync", "nice"]),
    ("programs that set up a network", ["ifup", "systemd-networkd"], ["findmnt", "systemd-network-generator"]),
]


@pytest.mark.parametrize(("absent", "wanted", "others"), NAMES)
def test_programs_are_found_by_name(
    overlays: tuple[Overlay, ...], tmp_path: Path, absent: str, wanted: list[str], others: list[str]
) -> None:
    for name in (*wanted, *others):
        (tmp_path / name).touch(0o755)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / wanted[0]).touch(0o644)
    (command,) = (overlay.description.absent[absent] for overlay in overlays if absent in overlay.description.absent)
    found = run(["sh", "-c", re.sub(r"\bfind / ", f"find {tmp_path} ", command)]).stdout.splitlines()
    assert sorted(found) == sorted(str(tmp_path / name) for name in wanted)


@pytest.mark.parametrize("text", ["{", "{}", '{"absent": [{"absent": "a"}]}', '{"absent": 1}'])
def test_what_is_no_bill_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / ABSENCE).write_text(text)
    with pytest.raises(BuilderError, match="is not a bill of absence"):
        read_bill(tmp_path)
    with pytest.raises(BuilderError, match="no bill of absence"):
        read_bill(tmp_path / "elsewhere")
