"""What Claudine says by herself: first person, calm, and nothing that cannot be checked.

No imports here: the greeting must be on the screen before anything slow is loaded.
"""

GREETING = """\
Hello, I am Claudine. I run on this machine: unplug its network cable, and I
answer all the same. Ctrl+C stops an answer, /help says what else I understand.
"""

_WAITING = {
    "absent": "I am waiting for my runtime to start",
    "loading": "I am loading my model",
    "ready": "I am ready",
    "error": "I cannot use my runtime",
    "summary": "I am summing up what we said before",
}

NO_QUESTION = 'There is no question. For example: claudine ask "What is the capital of France?"'
THINKING = "I am working on the answer"

STOPPED = "I stopped."
STOPPED_BUSY = "I stopped, and changed nothing."
STOPPED_UNSAID = "I stopped before I had said anything. Your message is back on the line."
CUT_SHORT = "I reached the limit of what I can say in one answer."
SILENT = "I found nothing to say to that."
NOTHING_TO_ADD = "I have nothing to add."
CONTEXT_ENDS = "That is as much as I can hold at once. /go-on goes on, once we have made room."
ROOM_MADE = "From now on I leave out our oldest messages; they stay in our conversation, and I do not read them."
NO_ROOM_TO_MAKE = "There is nothing older that I could leave out."
FULL = "That is {n_prompt} tokens, and I can hold {n_ctx} at once."
TOO_LONG_TO_GO_ON = "I cannot go on: this is {n_prompt} tokens, and I can hold {n_ctx} at once. /new begins anew."
UNUSABLE = "I cannot use my runtime: {reason}."
NOBODY_ANSWERS = "nobody answers at {path}"
CANNOT_OPEN = "I cannot open {path}: {reason}"
TOO_BUSY = "it is too busy to say how it is"
WENT_AWAY = "it went away while I asked"
NO_HTTP = "what answers at {path} does not speak HTTP"
NOT_IN_MEMORY = "the model is not in memory yet"
STRANGE_STATUS = "/health answers with HTTP status {status}"
UNREACHABLE = "I cannot reach my runtime: {reason}."
NOT_READY = "My runtime is not ready after {seconds:.0f} s: {reason}."
STILL_LOADING = "My model is still loading."
REFUSED = "My runtime refused this: {reason}"
NO_REASON = "it gave no reason."
REFUSED_SILENTLY = "My runtime refused this with HTTP status {status} and gave no reason."
RUNTIME_BROKE_OFF = "My runtime broke off in the middle of this answer."
RUNTIME_UNREADABLE = "My runtime sent something that I cannot read."
TOO_LONG = (
    "Your message is too long for me: {n_prompt} tokens, and I can hold {n_ctx} at once. Please shorten it; "
    "it is back on the line."
)
STUMBLED = "I stumbled over a fault of my own: {fault}"
UNKNOWN_COMMAND = "I do not know {command}. /help says what I understand."
NOWHERE_TO_GO = "There is nothing behind me on this screen, so I stay. Ctrl+C clears the line."

RESUMED = "I go on with our last conversation; /new begins another."
UNANSWERED = "Your last message got no answer. It is back on the line."

STORE_FULL = (
    "My disk is full, so I keep what we say in memory and try again with each message. /forget deletes what I have "
    "stored."
)
STORE_DAMAGED = (
    "My stored conversations are damaged. I leave them alone and keep what we say in memory only; /forget deletes "
    "them, and then I can begin anew."
)
STORE_NEWER = (
    "My stored conversations were written by a newer version of me. I leave them alone and keep what we say in memory "
    "only."
)
STORE_UNUSABLE = "I cannot save what we say ({reason}), so I keep it in memory and try again with each message."
STORE_KEPT = "I could not delete what I have stored: {reason}."
SAVING_AGAIN = "I can save again, and have saved what was waiting."

LOOKING = "I am looking at my disk"
DISK_ALMOST_FULL = "My disk is almost full. /forget makes room by deleting all stored conversations."
NEEDS_A_PERSON = "That needs a person at a terminal, so I did nothing."

STATE_ABSENT = "Nobody looks after an encrypted disk here: there is no service at {path}."
STATE_UNREACHABLE = "I cannot reach the service that looks after my disk: {reason}."
STATE_SILENT = "The service that looks after my disk did not answer in time."
STATE_UNREADABLE = "The service that looks after my disk sent something that I cannot read."

LATER = "later"
KEY_OFFER = """\
The disk of this machine is encrypted. It opens by itself only in this machine,
and only when it has started as it did now. If a part breaks or the firmware's
settings change, the one other way in is a recovery key, and nobody has
confirmed that they have one. I can make one now; it replaces any earlier one.
"""
KEY_RENEWAL = """\
I can make a new recovery key for the disk of this machine. The moment it is
made, every earlier one stops working.
"""
KEY_OFFER_PROMPT = "Press Enter to see it, or type later: "
KEY_POSTPONED = "I have made no key. /recovery-key brings us back to it."
KEY_STAYS = "I cannot clear this terminal: the key will stay on it."
KEY_WAITS = "The recovery key of this machine waits to be confirmed on its screen; /recovery-key makes one here."
MAKING_KEY = "I am making the key"
KEY_NOTE = "Write it down or photograph it; I keep no copy."
KEY_PROMPT = "Type its last eight letters to confirm, or later: "
KEY_WRONG = "Those are not its last eight letters. Please look again; I keep no copy."
CONFIRMING = "I am noting that you have the key"
KEY_CONFIRMED = "The recovery key is confirmed. Keep it where this machine is not."
KEY_UNCONFIRMED = "That key is not confirmed, and the next one replaces it. /recovery-key makes one."

RECOVERY_KEY_COMMAND = "Make a new recovery key for the disk of this machine"
RESET_COMMAND = "Erase the disk of this machine"
RESET_WORDS = "erase everything"
RESET = """\
This erases what is stored on the disk of this machine: every conversation and
every setting. The recovery key stops working. I cannot bring anything back.
The machine then restarts.
"""
RESET_PROMPT = f"To do it, type {RESET_WORDS}: "
NOTHING_ERASED = "I erased nothing."
RESETTING = "I am erasing the disk"
RESET_DONE = "The disk is being erased, and this machine restarts."


def reason(kind: str) -> str:
    """Say why there is no answer yet. *kind* is that of a ``Waiting``."""
    return _WAITING[kind]


def waiting(kind: str, elapsed_s: float) -> str:
    """Say why there is no answer yet, and for how long."""
    return f"{_WAITING[kind]}: {seconds(elapsed_s)}"


def ready(model: str, waited_s: float) -> str:
    """Say which model answers from now on."""
    return f"My model is {model}, ready after {seconds(waited_s)}." if waited_s >= 1 else f"My model is {model}."


def reading(percent: int) -> str:
    """Say how far the message is read; once it is, the rest is work on the answer."""
    return f"I am reading, {percent} %" if percent < 100 else THINKING


def seconds(elapsed_s: float) -> str:
    """Say a duration as a person would: ``8 s``, ``2 min 5 s``."""
    minutes, rest = divmod(int(elapsed_s), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def size(n_bytes: int) -> str:
    """Say a size: ``300 bytes``, ``12 kB``, ``1.0 MB``."""
    if n_bytes < 1000:
        return f"{n_bytes} bytes"
    for unit, factor in (("kB", 1000), ("MB", 1000**2), ("GB", 1000**3), ("TB", 1000**4)):
        if n_bytes < 1000 * factor or unit == "TB":
            break
    value = n_bytes / factor
    return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"


def counted(count: int, thing: str) -> str:
    """Say how many: ``1 file``, ``12 files``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
