"""What Claudine says by herself: first person, calm, and nothing that cannot be checked.

No imports here: the greeting must be on the screen before anything slow is loaded.
"""

GREETING = """\
Hello, I am Claudine. I run on this machine: unplug its network cable, and I
answer all the same. Ctrl+C stops an answer, /help says what else I understand.
"""

HELP = """\
Write a message and press Enter. While I answer, Ctrl+C stops me; what I have
said by then stays part of our conversation. Ctrl+C clears a line that you have
begun, and the up arrow brings back earlier ones.

  /new    start afresh, without anything we have said so far
  /help   this page
"""

_WAITING = {
    "absent": "I am waiting for my runtime to start",
    "loading": "I am loading my model",
    "ready": "I am ready",
    "error": "I cannot use my runtime",
}

THINKING = "I am working on the answer"

STOPPED = "I stopped."
STOPPED_UNSAID = "I stopped before I had said anything. Your message is back on the line."
CUT_SHORT = "I reached the limit of what I can say in one answer."
SILENT = "I found nothing to say to that."
AFRESH = "We start afresh."
FORGETTING = (
    "Together that is {n_prompt} tokens, and I can hold {n_ctx} at once. I leave out our oldest {dropped} and try "
    "again; /new starts afresh."
)
TOO_LONG = (
    "Your message is too long for me: {n_prompt} tokens, and I can hold {n_ctx} at once. Please shorten it; "
    "it is back on the line."
)
UNKNOWN_COMMAND = "I do not know {command}. /help says what I understand."
NOWHERE_TO_GO = "There is nothing behind me on this screen, so I stay. Ctrl+C clears the line."


def waiting(kind: str, elapsed_s: float) -> str:
    """Say why there is no answer yet. *kind* is a ``runtime.Kind``."""
    return f"{_WAITING[kind]}: {seconds(elapsed_s)}"


def reading(percent: int) -> str:
    """Say how far the message is read; once it is, the rest is work on the answer."""
    return f"I am reading, {percent} %" if percent < 100 else THINKING


def seconds(elapsed_s: float) -> str:
    """Say a duration as a person would: ``8 s``, ``2 min 5 s``."""
    minutes, rest = divmod(int(elapsed_s), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
