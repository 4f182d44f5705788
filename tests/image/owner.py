"""What the owner of a new machine does on its keyboard."""

from builder.vm.machine import Machine
from claudine import voice
from claudine.voice import screen, settings
from tests.image.screen import wait_for_answer, wait_for_text
from tests.support.recovery_key import key_on_screen


def keep_settings(machine: Machine) -> None:
    """Keep keyboard, time zone and name as they are."""
    for question in (settings.KEYBOARD, settings.ZONE, settings.NAME_PROMPT):
        wait_for_text(machine, question)
        machine.send_keys("\x1b")


def see_recovery_key(machine: Machine) -> str:
    """Have the recovery key shown, and read it off the screen."""
    wait_for_text(machine, voice.KEY_OFFER_PROMPT)
    machine.send_keys("\n")
    wait_for_text(machine, voice.KEY_PROMPT)
    return key_on_screen(machine.console_text())


def confirm_recovery_key(machine: Machine, key: str) -> None:
    """Type what confirms it."""
    machine.send_keys(f"{key.rpartition('-')[2]}\n")
    wait_for_text(machine, voice.KEY_CONFIRMED)


def watch_experiment(machine: Machine) -> str:
    """Take the first of the small things that are offered, and return what the screen says of it."""
    wait_for_text(machine, settings.EXPERIMENT)
    machine.send_keys("\n")
    return wait_for_answer(machine, settings.TINY_QUESTIONS[0])


def put_off_experiment(machine: Machine) -> None:
    """Go on without it."""
    wait_for_text(machine, settings.EXPERIMENT)
    machine.send_keys("\x1b")
    wait_for_text(machine, screen.READY)
