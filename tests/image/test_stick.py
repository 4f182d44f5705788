"""A USB stick, as the client has it opened: listed, written, taken out, and nothing else is ever mounted for it."""

from pathlib import Path

import pytest

from builder.run import run
from builder.toolchain import open_toolchain
from builder.vm.machine import Machine
from claudine.voice import stick as voice
from tests.image.screen import TYPED, wait_for_text
from tests.image.stick import MOUNT_POINT, STICK_BYTES, ask, plugged_in, pull_out


@pytest.fixture
def ext4(tmp_path: Path) -> Path:
    stick = tmp_path / "stick.img"
    content = tmp_path / "content"
    content.mkdir()
    (content / "link").symlink_to("/etc/passwd")
    run(open_toolchain().box(["mkfs.ext4", "-q", "-d", str(content), str(stick), "16M"]))
    return stick


def client_pid(machine: Machine) -> str:
    return machine.succeed("systemctl show --property=MainPID --value claudine-client@tty1.service").strip()


def test_without_a_stick_there_is_nothing_to_open(machine: Machine) -> None:
    assert ask(machine, "sticks") == {"sticks": []}
    assert ask(machine, "close-stick") == {}


def test_the_machine_s_own_disk_is_not_opened(machine: Machine) -> None:
    sequence = machine.succeed("cat /sys/block/vda/diskseq").strip()
    for id_ in (f"{sequence}-1", f"{sequence}-0", "/dev/vda1", "vda1", "../vda1"):
        assert "error" in ask(machine, "open-stick", stick=id_)
    assert machine.run(f"findmnt {MOUNT_POINT}").returncode != 0


def test_what_the_client_writes_is_on_the_stick_when_it_is_closed(machine: Machine, vfat: Path) -> None:
    with plugged_in(machine, vfat) as stick:
        assert (stick["label"], stick["file_system"], stick["size_bytes"]) == ("HOLIDAY", "vfat", STICK_BYTES)
        assert ask(machine, "open-stick", stick=stick["id"]) == {"path": MOUNT_POINT}
        # Seen from the client's own namespace, which was made before the stick was there.
        pid = client_pid(machine)
        mounts = machine.succeed(f"cat /proc/{pid}/mounts")
        [options] = [line.split()[3].split(",") for line in mounts.splitlines() if line.split()[1] == MOUNT_POINT]
        assert {"rw", "nodev", "nosuid", "noexec", "nosymfollow", "uid=802", "gid=800"} <= set(options)
        there = f"/proc/{pid}/root{MOUNT_POINT}"
        assert machine.succeed(f"cat {there}/note.txt") == "a note\n"
        machine.succeed(f"echo from the client >{there}/written.txt")
        assert ask(machine, "close-stick") == {}
        assert machine.run(f"findmnt {MOUNT_POINT}").returncode != 0
        assert MOUNT_POINT not in machine.succeed(f"cat /proc/{pid}/mounts")
    written = run(open_toolchain().box(["mtype", "-i", str(vfat), "::written.txt"])).stdout
    assert written == "from the client\n"


def test_a_folder_that_is_held_open_keeps_the_stick_open(machine: Machine, vfat: Path) -> None:
    with plugged_in(machine, vfat) as stick:
        ask(machine, "open-stick", stick=stick["id"])
        machine.succeed(f"systemd-run --quiet --collect --unit=holder sh -c 'cd {MOUNT_POINT} && sleep 1000'")
        machine.wait_until_succeeds(f"ls -l /proc/[0-9]*/cwd | grep -q {MOUNT_POINT}", timeout_s=60)
        assert ask(machine, "close-stick") == {"error": "The stick is in use on another screen."}
        machine.succeed("systemctl stop holder.service")
        assert ask(machine, "close-stick") == {}


def test_a_stick_that_is_pulled_out_leaves_nothing_behind(machine: Machine, vfat: Path) -> None:
    with plugged_in(machine, vfat) as stick:
        ask(machine, "open-stick", stick=stick["id"])
        pull_out(machine)
        ask(machine, "close-stick")
        assert machine.run(f"findmnt {MOUNT_POINT}").returncode != 0
        assert stick not in ask(machine, "sticks")["sticks"]
        assert ask(machine, "open-stick", stick=stick["id"]) == {"error": "That stick is not in any more."}
    assert "stick" not in machine.succeed("systemctl --failed --plain --no-legend")


def test_a_link_on_a_stick_leads_nowhere(machine: Machine, ext4: Path) -> None:
    with plugged_in(machine, ext4) as stick:
        assert ask(machine, "open-stick", stick=stick["id"]) == {"path": MOUNT_POINT}
        assert "Too many levels of symbolic links" in machine.run(f"cat {MOUNT_POINT}/link").stderr
        # ext4 has owners of its own, and the model's server is in the client's group.
        server = "setpriv --reuid=claudine-runtime --regid=claudine --clear-groups"
        assert "Permission denied" in machine.run(f"{server} ls {MOUNT_POINT}").stderr
        assert ask(machine, "close-stick") == {}


def test_a_conversation_is_exported_by_keyboard(machine: Machine, vfat: Path, tmp_path: Path) -> None:
    with plugged_in(machine, vfat):
        machine.send_keys("/export\n")
        wait_for_text(machine, voice.EXPORT)
        machine.send_keys("\n")
        wait_for_text(machine, voice.CLOSED)
    box = open_toolchain().box
    run(box(["mcopy", "-s", "-i", str(vfat), "::", str(tmp_path / "copied")]))
    [exported] = (tmp_path / "copied").rglob("*.md")
    assert TYPED in exported.read_text()


def test_a_text_file_is_read_into_a_message(machine: Machine, vfat: Path) -> None:
    with plugged_in(machine, vfat):
        machine.send_keys("/read\n")
        wait_for_text(machine, voice.READ)
        # The first line is the whole stick.
        machine.press("down")
        machine.send_keys("\n")
        wait_for_text(machine, "note.txt: ")
        assert "tokens" in wait_for_text(machine, voice.QUESTION_PROMPT)
        machine.send_keys("\x1b")
        wait_for_text(machine, voice.NOT_SENT)
