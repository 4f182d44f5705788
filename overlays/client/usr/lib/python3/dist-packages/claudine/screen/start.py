"""Whether a terminal can show the screen, and the way into it.

    if wanted(terminal) and not why_not():
        run(prepare, look, stays=True, virtual=True)

Importing this module is quick. Running loads Textual.
"""

import importlib.util
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from claudine.plain.status import TerminalGoneError
from claudine.voice import screen as voice

if TYPE_CHECKING:
    from claudine.plain.terminal import Terminal
    from claudine.screen.app import Prepare

COLUMNS, ROWS = 60, 16

# A screen that is redrawn with each word is too much for them, and who sits there may well want to keep the text.
_SERIAL = re.compile(r"tty(S|AMA|USB|ACM)\d+|hvc\d+")


def wanted(terminal: "Terminal") -> bool:
    """Say whether a screen is what one expects at *terminal*."""
    return terminal.interactive and os.environ.get("TERM", "") not in ("", "dumb") and not _SERIAL.match(terminal.name)


def why_not() -> str:
    """Say in a few words why there is no screen here that would be wanted; empty if there can be one."""
    if importlib.util.find_spec("textual") is None:
        return voice.NO_TEXTUAL
    columns, rows = os.get_terminal_size()
    return "" if columns >= COLUMNS and rows >= ROWS else voice.TOO_SMALL.format(columns=COLUMNS, rows=ROWS)


def run(prepare: "Prepare", look: Callable[[], str], *, stays: bool, virtual: bool) -> None:
    """Show the screen that ``ClaudineApp`` describes, until the person leaves it.

    Raises TerminalGoneError, and whatever else ended it.
    """
    # Read when Textual is imported. The console has no protocol for more keys, and nothing on it should move.
    os.environ["TEXTUAL_DISABLE_KITTY_KEY"] = "1"
    os.environ["TEXTUAL_ANIMATIONS"] = "none"

    from claudine.screen.app import ClaudineApp
    from claudine.screen.driver import ConsoleDriver, HungUp

    ended = ClaudineApp(prepare, look, stays=stays, virtual=virtual, driver_class=ConsoleDriver).run(mouse=False)
    if isinstance(ended, HungUp):
        raise TerminalGoneError from ended
    if ended is not None:
        raise ended
