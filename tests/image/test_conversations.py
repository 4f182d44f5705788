"""What the owner does with conversations, by keyboard only: stop, edit, branch, search, and talk off the record."""

from collections.abc import Callable

import pytest

from builder.vm.machine import Machine
from claudine import voice
from claudine.voice import chat, chats
from claudine.voice import screen as screen_voice
from tests.image.screen import TYPED, wait_for_text
from tests.image.state_volume import words_on_disk

FIRST, EDITED = "Count from 1 to 200.", "Tell me a long story."
# Words that nothing else on the machine has.
KEPT, PRIVATE = "What is a quagga-zither?", "What is a yak-theremin?"


def stop_at_first_words(machine: Machine, message: str) -> None:
    """Stop the answer to *message* when it begins: it may become long, and what it says does not matter here."""
    wait_for_text(machine, screen_voice.CLAUDINE, after=message)
    machine.press("esc")
    wait_for_text(machine, voice.STOPPED, after=message)
    wait_for_text(machine, screen_voice.READY)


def test_escape_stops_an_answer(machine: Machine) -> None:
    machine.press("ctrl", "n")
    wait_for_text(machine, chat.AFRESH)
    machine.send_keys(f"{FIRST}\n")
    stop_at_first_words(machine, FIRST)


def test_an_edited_message_is_answered_beside_the_first_one(machine: Machine) -> None:
    machine.send_keys(f"/edit {EDITED}\n")
    stop_at_first_words(machine, f"{screen_voice.version(2, 2)} {EDITED}")


def test_one_key_leads_to_the_other_branch_and_back(machine: Machine) -> None:
    machine.press("f6")
    wait_for_text(machine, f"{screen_voice.version(1, 2)} {FIRST}")
    machine.press("f6")
    wait_for_text(machine, f"{screen_voice.version(2, 2)} {EDITED}")


def test_what_is_off_the_record_is_nowhere_on_the_disk(machine: Machine) -> None:
    for message in (KEPT, PRIVATE):
        machine.press(*(["f8"] if message == PRIVATE else ["ctrl", "n"]))
        wait_for_text(machine, chat.PRIVATE_BEGUN.split(":")[0] if message == PRIVATE else chat.AFRESH)
        machine.send_keys(f"{message}\n")
        stop_at_first_words(machine, message)
    # While it is still on the screen.
    assert words_on_disk(machine, "quagga-zither", "yak-theremin") == {"quagga-zither"}


@pytest.mark.parametrize(("words", "found"), [("theremin", False), ("italy", True)])
def test_the_others_are_found_by_their_words_and_opened(
    machine: Machine, picture: Callable[[str], None], words: str, found: bool
) -> None:
    machine.send_keys(f"/chats {words}\n")
    if not found:
        wait_for_text(machine, chats.NOT_FOUND.format(words=words))
        return
    wait_for_text(machine, chats.FOUND.format(words=words))
    picture("screen-chats")
    machine.send_keys("\n")
    wait_for_text(machine, chats.OPENED.format(title=""))
    assert TYPED in wait_for_text(machine, screen_voice.READY)
