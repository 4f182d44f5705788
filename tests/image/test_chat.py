"""What is said on the screen."""

from collections.abc import Callable

from builder.vm.machine import Machine
from claudine.voice import screen as voice
from tests.image.screen import TYPED, wait_for_answer, wait_for_text


def test_the_model_is_ready(machine: Machine) -> None:
    machine.wait_until_succeeds("claudine status")
    wait_for_text(machine, voice.READY)


def test_a_question_typed_on_the_keyboard_is_answered_on_the_screen(machine: Machine) -> None:
    machine.send_keys(TYPED + "\n")
    # What is said is left to chance here (`ask`, which leaves nothing to chance, is tested for sense).
    assert voice.CLAUDINE in wait_for_answer(machine, TYPED)


def test_one_key_shows_all_that_can_be_done(machine: Machine, picture: Callable[[str], None]) -> None:
    machine.press("f2")
    wait_for_text(machine, voice.MENU)
    picture("screen-menu")
    machine.press("esc")
    wait_for_text(machine, voice.READY)
