"""What is said on the screen."""

from builder.vm.machine import Machine
from tests.image.screen import TYPED, flat, wait_for_text


def test_the_model_is_ready(machine: Machine) -> None:
    machine.wait_until_succeeds("claudine status")
    wait_for_text(machine, "You:")


def test_a_question_typed_on_the_keyboard_is_answered_on_the_screen(machine: Machine) -> None:
    machine.send_keys(TYPED + "\n")

    def answered() -> str | None:
        # What is said is left to chance here (`ask`, which leaves nothing to chance, is tested for sense).
        answer = flat(machine.console_text()).partition(TYPED)[2].partition("Claudine:")[2].strip()
        return answer if len(answer) > len("You:") and answer.endswith("You:") else None

    machine.watch.until("the answer on the screen", answered, timeout_s=600, every_s=3.0)
