"""A question of the client's own, beside the conversation: its answer is not kept."""

from claudine.plain.interrupts import Interrupts
from claudine.plain.terminal import Terminal
from claudine.text import printable


def question(terminal: Terminal, interrupts: Interrupts, prompt: str, draft: str = "") -> str | None:
    """Return what the person says to *prompt*, beginning with *draft*, or None: Ctrl+C or Ctrl+D."""
    try:
        with interrupts.armed():
            return printable(terminal.read_line(prompt, draft, recall=False)).strip()
    except (KeyboardInterrupt, EOFError):
        terminal.say("")
        return None
