"""What the owner sees on the screen and on the serial line."""

from builder.vm.machine import Machine
from claudine.voice import GREETING

TYPED = "What is the capital of Italy?"


def flat(text: str) -> str:
    """The words of a screen, however its lines are broken."""
    return " ".join(text.split())


def test_the_screen_and_the_serial_line_greet(machine: Machine) -> None:
    assert flat(GREETING) in flat(machine.console_text())
    assert flat(GREETING) in flat(machine.bench.files.serial_log.read_text(errors="replace"))


def test_nothing_else_is_on_the_screen(machine: Machine) -> None:
    assert flat(machine.console_text()).startswith(flat(GREETING))


def test_a_question_typed_on_the_keyboard_is_answered_on_the_screen(machine: Machine) -> None:
    machine.wait_until_succeeds("claudine status")
    machine.send_keys(TYPED + "\n")

    def answered() -> str | None:
        # What is said is left to chance here (`ask`, which leaves nothing to chance, is tested for sense).
        answer = flat(machine.console_text()).partition(f"{TYPED} Claudine:")[2].strip()
        return answer if len(answer) > len("You:") and answer.endswith("You:") else None

    machine.watch.until("the answer on the screen", answered, timeout_s=600, every_s=3.0)


def test_it_cannot_be_left_for_a_shell(machine: Machine) -> None:
    """Ctrl+C, Ctrl+D and Ctrl+Z leave the same client where it was."""
    main_pid = "systemctl show --property=MainPID --value claudine-client@tty1.service"
    before = machine.succeed(main_pid)
    machine.send_keys("\x03\x04\x1a\n")
    machine.wait_until_succeeds("claudine status")
    assert machine.succeed(main_pid) == before
