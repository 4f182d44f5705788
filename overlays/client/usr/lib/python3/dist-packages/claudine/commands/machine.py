"""The line-mode face of the machine itself: its recovery key, its disk, and the way back to an empty one.

It comes before the model, on a screen that somebody waits for: this module imports nothing slow.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from claudine import voice
from claudine.plain.interrupts import Interrupts
from claudine.plain.question import question
from claudine.plain.terminal import Terminal
from claudine.state import NoServiceError, StateError, StateService

# Bright white on black, whatever the terminal's own colours are: phones want the light modules light.
_LIGHT, _PLAIN = "\x1b[1;37;40m", "\x1b[0m"


class Machine:
    """What a person on *terminal* can do with the machine behind *service*."""

    def __init__(self, service: StateService, terminal: Terminal, interrupts: Interrupts) -> None:
        self._service = service
        self._terminal = terminal
        self._interrupts = interrupts

    def greet(self, *, stays: bool) -> None:
        """Say at once what the owner should know of the disk. On an appliance's screen, see to the recovery key."""
        try:
            with self._busy(voice.LOOKING):
                status = self._service.status()
        except NoServiceError:
            return
        except StateError as failure:
            self._terminal.remark(str(failure))
            return
        if status.almost_full:
            self._terminal.remark(voice.DISK_ALMOST_FULL)
        if stays and status.wants_recovery_key:
            if not self._terminal.virtual:
                self._terminal.remark(voice.KEY_WAITS)
            elif self._give_key(voice.KEY_OFFER):
                self._terminal.say(voice.GREETING)

    def renew_key(self) -> None:
        """Make, show and confirm a new recovery key."""
        with self._remarking_failure():
            self._service.status()
            self._give_key(voice.KEY_RENEWAL)

    def reset(self) -> None:
        """Erase the disk, once the person has typed that."""
        with self._remarking_failure():
            self._service.status()
            self._terminal.say(voice.RESET)
            if question(self._terminal, self._interrupts, voice.RESET_PROMPT) != voice.RESET_WORDS:
                self._terminal.remark(voice.NOTHING_ERASED)
                return
            with self._busy(voice.RESETTING):
                self._service.factory_reset()
            self._terminal.remark(voice.RESET_DONE)

    def _give_key(self, offer: str) -> bool:
        """Lead through the ceremony and say whether a key was on the screen. Nothing is made before Enter."""
        self._terminal.say(offer)
        if not self._terminal.status.in_place:
            self._terminal.remark(voice.KEY_STAYS)
        while answer := self._ask(voice.KEY_OFFER_PROMPT):
            if answer == voice.LATER:
                break
        if answer != "":
            self._terminal.remark(voice.KEY_POSTPONED)
            return False
        shown = noted = False
        with self._remarking_failure():
            with self._busy(voice.MAKING_KEY):
                # Before the key is made: it must not be lost because this cannot be loaded.
                from claudine.qr import qr_rows

                key = self._service.new_recovery_key()
            shown = True
            try:
                confirmed = self._show(key, qr_rows(key))
            finally:
                self._terminal.clear()
            if confirmed:
                with self._busy(voice.CONFIRMING):
                    self._service.confirm_recovery_key()
                noted = True
        if shown:
            self._terminal.remark(voice.KEY_CONFIRMED if noted else voice.KEY_UNCONFIRMED)
        return shown

    def _show(self, key: str, picture: list[str]) -> bool:
        """Show *key* until its last group is typed (True) or put off. It takes 24 rows, drawn anew for each try."""
        groups = key.split("-")
        colour, plain = (_LIGHT, _PLAIN) if self._terminal.status.in_place else ("", "")
        rows = [
            " - ".join(groups[:4]) + " -",
            " - ".join(groups[4:]),
            *(f"{colour}{row}{plain}" for row in picture),
        ]
        note = voice.KEY_NOTE
        while True:
            self._terminal.clear()
            self._terminal.say("\n".join([*rows, note]))
            answer = self._ask(voice.KEY_PROMPT)
            if answer in (None, voice.LATER):
                return False
            if answer.replace("-", "").replace(" ", "") == groups[-1]:
                return True
            note = voice.KEY_WRONG

    def _ask(self, prompt: str) -> str | None:
        answer = question(self._terminal, self._interrupts, prompt)
        return None if answer is None else answer.lower()

    @contextmanager
    def _busy(self, text: str) -> Iterator[None]:
        with self._terminal.quiet(), self._terminal.status.ticking() as ticker:
            ticker.say(text)
            yield

    @contextmanager
    def _remarking_failure(self) -> Iterator[None]:
        try:
            yield
        except StateError as failure:
            self._terminal.remark(str(failure))
