"""The end of the shared machine: the power button, and what the network card has sent since it was switched on."""

from builder.vm.machine import Machine
from tests.support.pcap import frames


def test_the_power_button_turns_the_machine_off(machine: Machine) -> None:
    machine.qmp.execute("system_powerdown")
    machine.wait_for_power_off(timeout_s=180)


def test_no_frame_was_sent_from_power_on_to_power_off(machine: Machine) -> None:
    """Through firmware, boot loader, two boots, chats and shutdown; nobody is at the other end who would send any."""
    assert frames(machine.bench.files.network_capture) == []
