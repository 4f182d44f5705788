"""The end of the shared machine: its owner looks once more, forgets everything and turns it off, by keyboard only."""

import re
from collections.abc import Callable

from builder.vm.machine import Machine
from claudine.voice import chats, power, proof
from claudine.voice import screen as screen_voice
from tests.image.screen import wait_for_text
from tests.support.pcap import frames

CLIENT = "claudine-client@tty1.service"
MEMORY_KIB = 120 << 10
IDLE_S = 30
CPU_NS = f"systemctl show --property=CPUUsageNSec --value {CLIENT}"


def test_the_client_is_small_and_idles(machine: Machine, record_note: Callable[[str, object], None]) -> None:
    wait_for_text(machine, screen_voice.READY)
    main = machine.succeed(f"systemctl show --property=MainPID --value {CLIENT}").strip()
    [resident_kib] = re.findall(r"^VmRSS:\s*(\d+) kB$", machine.succeed(f"cat /proc/{main}/status"), re.MULTILINE)
    before, after = machine.succeed(f"{CPU_NS}; sleep {IDLE_S}; {CPU_NS}", timeout_s=IDLE_S + 60).split()
    cpu_percent = (int(after) - int(before)) / IDLE_S / 1e7
    record_note("client", {"resident_mb": round(int(resident_kib) / 1024), "idle_cpu_percent": round(cpu_percent, 2)})
    assert int(resident_kib) < MEMORY_KIB
    assert cpu_percent < 1


def test_one_key_proves_what_is_promised(machine: Machine, picture: Callable[[str], None]) -> None:
    machine.press("f4")
    wait_for_text(machine, proof.PROOF)
    picture("screen-prove")
    machine.press("end")
    wait_for_text(machine, proof.all_passed(8))
    machine.press("esc")


def test_forget_everything_leaves_no_conversation(machine: Machine) -> None:
    machine.send_keys("/forget\n")
    wait_for_text(machine, chats.FORGET_PROMPT)
    machine.send_keys("yes\n")
    wait_for_text(machine, chats.FORGOTTEN)
    machine.press("f3")
    wait_for_text(machine, chats.NO_CHATS)


def test_one_key_turns_the_machine_off(machine: Machine) -> None:
    machine.press("f10")
    wait_for_text(machine, power.POWER)
    machine.send_keys("\n")
    machine.wait_for_power_off(timeout_s=180)


def test_no_frame_was_sent_from_power_on_to_power_off(machine: Machine) -> None:
    """Through firmware, boot loader, two boots, chats and shutdown; nobody is at the other end who would send any."""
    assert frames(machine.bench.files.network_capture) == []
