"""What Claudine says of sticks: what goes onto them, and what she reads from them."""

import errno

from claudine.voice import counted

LOOKING = "I am looking for a stick"
PUT_IN = "I see no USB stick."
PUT_IN_PROMPT = "Put one in and press Enter: "
CHOOSE_STICK = "Which stick?"
OPENING = "I am opening the stick"
CLOSING = "I am writing everything to the stick"
CLOSED = "You can take the stick out now."
UNNAMED_STICK = "A stick without a name"

NAMELESS = "claudine"
NO_FILE = "{name} is no file that I can read."
TOO_LARGE = "{name} has {size}, and I read {most} at once at most."
TOO_MANY = "There are more than {most} files and folders in it, and I look at no more at once."
TOO_DEEP = "Its folders are more than {most} deep, and I go no further."
BINARY = "{name} is no text: there are bytes in it that no text has."
NOT_UTF_8 = "{name} is no text in UTF-8: line {line} is not. An editor can save it in UTF-8."

_TROUBLE = {
    errno.ENOSPC: "The stick is full. What I was writing is not on it.",
    errno.EROFS: "The stick cannot be written. Some have a switch for that; a damaged one is only read.",
    errno.EIO: "The stick was taken out, or is broken.",
    errno.ENXIO: "The stick was taken out, or is broken.",
    errno.ENODEV: "The stick was taken out, or is broken.",
    errno.ENOENT: "That is not on the stick any more.",
    errno.EACCES: "The stick does not let me in there: what is on it belongs to somebody else.",
    errno.EPERM: "The stick does not let me in there: what is on it belongs to somebody else.",
    errno.ELOOP: "That is a link to another place, and I do not follow links on a stick.",
    errno.EFBIG: "That is too large for the stick's file system.",
}
_TROUBLE_ELSE = "Something is wrong with the stick: {reason}."

EXPORT_COMMAND = "Write conversations to a USB stick"
EXPORT = "What shall I write to the stick?"
THIS_MARKDOWN = ("This conversation, to read", "Markdown")
THIS_JSON = ("This conversation, to import again", "JSON lines")
ALL_MARKDOWN = ("All conversations, to read", "Markdown")
ALL_JSON = ("All conversations, to import again", "JSON lines")
EXPORTING = "I am writing"
EXPORTED = "It is on the stick, as {name}."
NOTHING_TO_EXPORT = "I have stored nothing here that I could write to a stick."

IMPORT_COMMAND = "Take in conversations from a USB stick"
IMPORT = "Which file shall I take conversations from? They are in JSON lines, as I export them."
IMPORTING = "I am reading the conversations"
NO_STORE = "I keep no conversations here, so there is nowhere to take them to."
FAULT = "Line {line} of it I could not take: {reason}."

READ_COMMAND = "Read a text file or a folder from a USB stick"
READ = "What shall I read?"
LISTING = "I am looking through the stick"
FOLDER = "folder"
THE_STICK = "The whole stick"
UP = "Back to the folder above"
WHOLE_FOLDER = "All of this folder"
EMPTY = "There is nothing on the stick that I could read."
READING = "I am reading"
COUNTING = "I am counting its tokens"
NO_TEXT = "There was no text in it."
SKIPPED = "{count} in it I cannot read, and left out."
FITS = "{name}: {tokens} tokens. I can hold {size} at once, our conversation and my answer among them."
FILLS = (
    "{name}: {tokens} tokens, most of the {size} that I can hold at once. Our conversation may have to be shortened."
)
TOO_MUCH = "{name} is too much for me: {tokens} tokens, and I can hold {size} at once."
UNCOUNTED = "{name}: {size}. I could not count its tokens, because my model is not ready."
QUESTION_PROMPT = "Your question about it, or only Enter to send it as it is: "
NOT_SENT = "I sent nothing."
FILE_HEADER = "File: {name}"

COPY_COMMAND = "Copy a code block to a USB stick"
COPY = "Which code shall I copy to the stick?"
NO_CODE = "There is no code block in what I have said here."
COPYING = "I am copying it"
FILE_NAME_PROMPT = "Its name on the stick: "
COPIED = "It is on the stick, as {name}."


def trouble(error: OSError) -> str:
    """Say what kept a stick from being read or written."""
    return _TROUBLE.get(error.errno or 0) or _TROUBLE_ELSE.format(reason=error.strerror or error)


def lines(language: str, count: int) -> str:
    """Say what a code block is: ``python, 12 lines``."""
    return ", ".join(filter(None, [language, counted(count, "line")]))
