"""What a person may change about the machine."""

import json
import os
import sys
from pathlib import Path

import pytest

from claudine_state import keyboard
from claudine_state.run import CommandError, run
from claudine_state.settings import apply_settings
from tests.state.simulated_machine import SimulatedMachine

FILE = "var/lib/claudine/settings.json"
LAYOUTS = """\
! model
  pc105           Generic 105-key PC

! layout
  de              German
  us              English (US)

! variant
  nodeadkeys      de: German (no dead keys)
  intl            us: English (US, intl.)
"""
KEYMAP = """\
keymaps 0-2,4-6,8,12
plain\tkeycode  59 = F1
\tcontrol\talt\tkeycode  59 = Console_1
\talt\tkeycode  70 = Show_Registers
\tcontrol\talt\tkeycode 111 = Boot
\taltgr\tkeycode 113 = Last_Console
\talt\tkeycode 105 = Decr_Console
\talt\tkeycode 106 = Incr_Console
plain\tkeycode  46 = +c
\tcontrol\tkeycode  46 = Control_c
"""


@pytest.fixture
def device(machine: SimulatedMachine) -> SimulatedMachine:
    machine.put("usr/share/X11/xkb/rules/base.lst", LAYOUTS)
    machine.put("usr/share/zoneinfo/Europe/Berlin", b"TZif2")
    machine.put("usr/share/zoneinfo/tzdata.zi", "# version")
    machine.put("usr/share/zoneinfo/secret", b"TZif2").rename(machine.host.root / "usr/share/secret")
    # As in Debian: a zone with two names, and one that is whatever /etc/localtime is.
    (machine.host.root / "usr/share/zoneinfo/Europe/Busingen").symlink_to("Berlin")
    (machine.host.root / "usr/share/zoneinfo/localtime").symlink_to("../secret")
    machine.printed["dumpkeys"] = KEYMAP.encode()
    return machine


def hostname(device: SimulatedMachine) -> str:
    return (device.host.root / "proc/sys/kernel/hostname").read_text()


def time_zone(device: SimulatedMachine) -> str | None:
    link = device.host.root / "run/claudine/localtime"
    return str(link.readlink()) if link.is_symlink() else None


def loaded(device: SimulatedMachine) -> str | None:
    return next((call.partition("--xkb-layout=")[2] for call in device.calls if "--xkb-layout=" in call), None)


def apply(device: SimulatedMachine, settings: object) -> None:
    device.put(FILE, settings if isinstance(settings, bytes) else json.dumps(settings).encode())
    apply_settings(device.host)


def test_all_of_them(device: SimulatedMachine, capsys: pytest.CaptureFixture[str]) -> None:
    device.put("run/claudine/keep")
    for _ in range(2):
        apply(device, {"keyboard": "de(nodeadkeys)", "time_zone": "Europe/Berlin", "device_name": "attic"})
    assert capsys.readouterr().err == ""
    assert hostname(device) == "attic"
    assert time_zone(device) == "/usr/share/zoneinfo/Europe/Berlin"
    assert device.calls[0] == "loadkeys --console=/dev/tty1 --unicode --quiet --xkb-layout=de --xkb-variant=nodeadkeys"
    assert sorted(path.name for path in (device.host.root / "run/claudine").iterdir()) == ["keep", "localtime"]


def test_nothing_chosen_is_nothing_done_but_taking_keys_away(
    device: SimulatedMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    apply_settings(device.host)
    assert capsys.readouterr().err == ""
    assert (hostname(device), time_zone(device), loaded(device)) == ("claudine", None, None)
    assert [call.split()[0] for call in device.calls] == ["dumpkeys", "loadkeys"]


@pytest.mark.parametrize("name", ["attic", "A", "a-1", "x" * 63])
def test_device_names(device: SimulatedMachine, name: str) -> None:
    apply(device, {"device_name": name})
    assert hostname(device) == name


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-a",
        "a-",
        "a.b",
        "a b",
        "a/b",
        "../a",
        "a\n",
        "a\0",
        "ä",
        "\u0661",
        "x" * 64,
        None,
        1,
        True,
        [],
        {},
        ["attic"],
    ],
)
def test_broken_device_names_leave_the_others(
    device: SimulatedMachine, value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(device, {"device_name": value, "time_zone": "Europe/Berlin"})
    assert hostname(device) == "claudine"
    assert time_zone(device) is not None
    assert_one_line(capsys, "the setting 'device_name' is ignored: ")


@pytest.mark.parametrize("name", ["Europe/Berlin", "Europe/Busingen"])
def test_time_zones(device: SimulatedMachine, name: str) -> None:
    apply(device, {"time_zone": name})
    assert time_zone(device) == f"/usr/share/zoneinfo/{name}"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Europe",
        "localtime",
        "Europe/Atlantis",
        "tzdata.zi",
        "../secret",
        "/usr/share/zoneinfo/Europe/Berlin",
        "Europe/../Europe/Berlin",
        "Europe//Berlin",
        "Europe/Berlin\n",
        "Europe/Berlin\0",
        "x" * 5000,
        7,
    ],
)
def test_broken_time_zones(device: SimulatedMachine, value: object, capsys: pytest.CaptureFixture[str]) -> None:
    apply(device, {"time_zone": value, "device_name": "attic"})
    assert time_zone(device) is None
    assert hostname(device) == "attic"
    assert_one_line(capsys, "the setting 'time_zone' is ignored: ")


@pytest.mark.parametrize(
    "value", ["", "xx", "pc105", "German", "de(intl)", "de(", "de()", "(de)", "de --help", "-d", "de\n", "us,de", 1]
)
def test_broken_keyboards(device: SimulatedMachine, value: object, capsys: pytest.CaptureFixture[str]) -> None:
    apply(device, {"keyboard": value, "device_name": "attic"})
    assert loaded(device) is None
    assert hostname(device) == "attic"
    assert_one_line(capsys, "the setting 'keyboard' is ignored: ")


def test_settings_that_do_not_exist(device: SimulatedMachine, capsys: pytest.CaptureFixture[str]) -> None:
    apply(device, {"\x1b[2Jshell" + "x" * 500: "/bin/sh", "device_name": "attic"})
    assert hostname(device) == "attic"
    assert_one_line(capsys, "there is no such setting; there are keyboard, time_zone, device_name")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        '{"device_name": "attic"}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"null",
        b'"keyboard"',
        b'["keyboard"]',
        b"[" * 65000,
        b'{"device_name": ' + b"9" * 10000,
        b'{"device_name": "attic"}' + b" " * 65536,
    ],
)
def test_broken_files_are_ignored_as_a_whole(
    device: SimulatedMachine, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(device, content)
    assert (hostname(device), time_zone(device), loaded(device)) == ("claudine", None, None)
    assert_one_line(capsys, "settings.json is ignored: ")


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_what_is_no_file_is_ignored(device: SimulatedMachine, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = device.put("var/lib/claudine/elsewhere", '{"device_name": "attic"}')
    path = device.host.root / FILE
    match kind:
        case "link":
            path.symlink_to(elsewhere)
        case "pipe":
            os.mkfifo(path)
        case _:
            path.mkdir()
    apply_settings(device.host)
    assert hostname(device) == "claudine"
    assert_one_line(capsys, "settings.json is ignored: ")


def test_what_the_machine_refuses_leaves_the_others(
    device: SimulatedMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    device.failing["loadkeys --console=/dev/tty1 --unicode --quiet --xkb-layout"] = (1, "No console.")
    device.put("run/claudine", "in the way")
    apply(device, {"keyboard": "de", "time_zone": "Europe/Berlin", "device_name": "attic"})
    assert hostname(device) == "attic"
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_no_console_at_all_is_said(device: SimulatedMachine, capsys: pytest.CaptureFixture[str]) -> None:
    device.failing["dumpkeys"] = (1, "Couldn't open /dev/tty1")
    apply_settings(device.host)
    assert_one_line(capsys, "the keys that switch consoles stay as they are: dumpkeys: Couldn't open /dev/tty1")


def test_keys_that_reach_behind_the_client_do_nothing() -> None:
    harmless = keyboard.without_unwanted_keys(KEYMAP)
    assert harmless.splitlines()[2] == "\tcontrol\talt\tkeycode  59 = VoidSymbol"
    assert harmless.count("VoidSymbol") == 6
    assert "Control_c" in harmless
    assert not any(word in harmless for word in ("Console", "Boot", "Show"))


def test_a_program_gets_its_input_and_gives_its_output() -> None:
    assert run(["cat"], stdin=b"\xfc without newline") == b"\xfc without newline"
    assert run(["cat"]) == b""


def test_a_program_that_fails_has_the_last_word() -> None:
    script = "import sys; print('first\\n  la\\x1bst\\n', file=sys.stderr); sys.exit(7)"
    with pytest.raises(CommandError, match=r": la\?st$") as failure:
        run([sys.executable, "-c", script])
    assert failure.value.returncode == 7
    with pytest.raises(CommandError, match="false: it ended with exit code 1"):
        run(["false"])
    with pytest.raises(CommandError, match="No such file"):
        run(["no-such-program"])


@pytest.mark.parametrize("arguments", [[], ["shell"], ["serve", "now"]])
def test_other_commands_are_refused(arguments: list[str]) -> None:
    package = Path(keyboard.__file__).parent.parent
    start = f"import sys; sys.path.insert(0, {str(package)!r}); from claudine_state.__main__ import main; "
    with pytest.raises(CommandError, match="usage: ") as failure:
        run([sys.executable, "-I", "-B", "-c", start + f"sys.exit(main({arguments!r}))"])
    assert failure.value.returncode == 2


def assert_one_line(capsys: pytest.CaptureFixture[str], text: str) -> None:
    said = capsys.readouterr().err
    assert said.startswith("<4>"), "the journal does not know that it is a warning"
    assert text in said
    assert said.count("\n") == 1
    assert said.rstrip("\n").isprintable()
    assert len(said) < 400
