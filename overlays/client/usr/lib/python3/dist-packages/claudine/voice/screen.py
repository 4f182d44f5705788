"""What Claudine says on the screen that has the whole terminal, and what stands beside the keys there."""

YOU = "You"
CLAUDINE = "Claudine"
UNTITLED = "A new conversation"
PRIVATE = "off the record"
READY = "I am ready"

GREETING = (
    "Hello, I am Claudine. I run on this machine: unplug its network cable, and I answer all the same.\n\n"
    "Write something and press Enter. F1 shows my keys, F2 everything I can do."
)
WAKING = "I am starting"
IMPATIENT = "I am still answering. Escape stops me; your message stays on the line."
ONE_WAITS = "One message waits for me already; this one stays on the line."
IMPATIENT_COMMAND = "One thing after the other: Escape stops what I am doing."
NO_SCREEN = "I cannot draw my screen here ({reason}), so I talk in lines."
NO_TEXTUAL = "Textual is not installed"
TOO_SMALL = "it takes {columns} columns and {rows} rows"

MENU = "What I can do"
MENU_KEY = "menu"
HELP_TITLE = "Keys and commands"
HELP_ABOUT = """\
Write a message and press Enter. What you write while I am not ready yet waits and is answered then. Everything I can \
do is in the menu (F2); every line of it can also be typed as a command, for example /new.
"""
HELP_KEYS = """\
 Enter   send                            Ctrl+J  new line
 Up      bring back what I was sent      PageUp, PageDown  scroll
 Escape  stop me                         Ctrl+C  stop me, or clear the line
 F2      everything I can do             Ctrl+T  high contrast"""
HELP_LEAVE = " Ctrl+D  leave, when nothing is written"

SEARCH = "Search: "
SEARCH_HINT = "type to search · arrows choose · Enter takes it · Escape goes back"
CHOOSE_HINT = "arrows choose · Enter takes it · Escape goes back"
ASK_HINT = "Enter goes on · Escape goes back"
PAGE_HINT = "arrows and Page keys scroll · Escape goes back"
NOTHING_FOUND = "Nothing here is called that."


def version(number: int, of: int) -> str:
    """Say which of several messages at one place this is."""
    return f"version {number} of {of}"


def speed(per_second: float) -> str:
    """Say how fast an answer is, or was, in tokens."""
    return f"{per_second:.0f} tokens/s" if per_second >= 10 else f"{per_second:.1f} tokens/s"


def fill(used: int, size: int) -> str:
    """Say how full the context is."""
    return f"context {used} of {size}"
