"""The screens: all that the profile gives to the client show the same, and a key on any of them is the answer."""

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import SimpleQueue

from claudine_state.console import Console, TerminalGoneError

_COMMANDS = {"r": "reboot", "p": "poweroff"}


def open_consoles(names: Iterable[str], devices: Path = Path("/dev")) -> list[Console]:
    """Open the consoles that this machine has, in this order: not each has a serial port."""
    consoles = []
    for name in names:
        try:
            terminal = os.open(devices / name, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            continue
        consoles.append(Console(terminal, terminal))
    return consoles


class Screens:
    """Several consoles as one; one that goes away is left out from then on."""

    def __init__(self, consoles: list[Console]) -> None:
        self._consoles = consoles

    def clear(self) -> None:
        """Begin with empty screens."""
        self._each(Console.clear)

    def say(self, text: str) -> None:
        """Print paragraphs and an empty line."""
        self._each(lambda console: console.say(text))

    def choose(self) -> str | None:
        """Wait for a key that means something, and return systemctl's word for it; None when all consoles are gone."""
        answers: SimpleQueue[str | None] = SimpleQueue()
        for console in self._consoles:
            threading.Thread(target=_listen, args=(console, answers), daemon=True).start()
        for _ in self._consoles:
            if answer := answers.get():
                return answer
        return None

    def _each(self, act: Callable[[Console], None]) -> None:
        for console in list(self._consoles):
            try:
                act(console)
            except TerminalGoneError:
                self._consoles.remove(console)


def _listen(console: Console, answers: "SimpleQueue[str | None]") -> None:
    try:
        while (key := console.read_key()) not in _COMMANDS:
            pass
        answers.put(_COMMANDS[key])
    except TerminalGoneError:
        answers.put(None)
