"""What Claudine says of the conversations that she keeps. Nothing slow is imported here."""

import time

NOTHING_STORED = "I have stored nothing here: what we say is in memory only, and /new starts afresh."
UNREADABLE = "I cannot look at what I have stored: {reason}."
NOT_ADDED = "I cannot store it: {reason}."
NOT_DELETED = "I could not delete it: {reason}."
FULL = "my disk is full; /forget makes room"

CHATS_COMMAND = "List our conversations, or search them"
TITLE_COMMAND = "Give this conversation a title"
PIN_COMMAND = "Keep this conversation at the top of the list, or no longer"
DELETE_COMMAND = "Delete this conversation"
FORGET_COMMAND = "Delete all conversations"

CHATS = "Our conversations"
FOUND = "Where I found {words}"
NO_CHATS = "There is no conversation yet."
NOT_FOUND = "I found {words} in none of our conversations."
CURRENT = "this one"
OPENED = "We go on with: {title}"
NOTHING_SAID = "We have not said anything yet."

TITLE_PROMPT = "Title: "
TITLED = "I call this conversation: {title}"
NOW_PINNED = "This conversation stands at the top of the list now."
UNPINNED = "This conversation stands among the others again."
PRIVATE = "This conversation is private: it is in no list, and it is gone when we leave it."

DELETE = """\
This deletes the conversation called {title}, and I cannot bring it back.
"""
DELETE_PROMPT = "Delete it? Type yes or no: "
KEPT = "I deleted nothing."
DELETED = "The conversation is deleted, and we start afresh."

FORGET = """\
This deletes all conversations and drafts that are stored on this machine, those
of its other screens and lines too, and I cannot bring them back.
"""
FORGET_PROMPT = "Delete them? Type yes or no: "
FORGETTING = "I am having my runtime forget it too"
FORGOTTEN = (
    "All stored conversations are deleted, and we start afresh. Settings and the recovery key remain, and so does what "
    "was exported to a stick. What is on a screen or in memory now may stay there until the machine is turned off. "
    "Unused parts of the encrypted disk may hold traces until they are written over; /reset erases its key."
)

GONE = "That conversation is not there any more; it may have been deleted on another screen."
NO_SUCH_CHAT = "I have no conversation {id}. For the ids: claudine chats --json"
PINNED = "pinned"
UNTITLED = "Without a title"

MARKDOWN_PERSONA = "Persona:"

NO_ROOM_THERE = "There is not enough room there, so I wrote nothing."
CANNOT_WRITE = "I cannot write there, and wrote nothing: {reason}."
CANNOT_READ = "I cannot read that file: {reason}."
NO_FILE = "it is none"
TOO_MANY_NAMES = "Every name I would give the file is taken there, so I wrote nothing."

LINE_STRANGE = "this is no conversation that I exported"
LINE_NEWER = "this was exported by a newer version of me"
LINE_TOO_LONG = "this line is too long for me, so I stop here"
LINE_EMPTY = "messages: there is none"
LINE_NO_OBJECT = "{place}: this is no object"
LINE_ID = "{place}: an id has 1 to 64 letters, digits, - or _"
LINE_TWICE = "{place}: another message before it has the same id"
LINE_PARENT = "{place}: no message before it has this id"
LINE_LEAF = "{place}: no message has this id"
LINE_TEXT = "{place}: there is no text"
LINE_TIME = "{place}: a time is a whole number of seconds since 1970"
LINE_ROLE = "{place}: a role is user or assistant"
LINE_FIRST = "{place}: a conversation begins with the user"
MIXED = "a message in it belongs to another conversation that I have"


def day(said_at: int) -> str:
    """Say a date that every reader understands; nothing if the clock was never set."""
    try:
        return time.strftime("%Y-%m-%d", time.localtime(said_at)) if said_at > 0 else ""
    except (OverflowError, OSError, ValueError):
        return ""


def taken_in(new: int, extended: int, known: int) -> str:
    """Say what an import has brought."""
    counted = [
        f"{new} new",
        f"{extended} with new messages" if extended else "",
        f"{known} that I had" if known else "",
    ]
    return f"I took in the conversations: {', '.join(filter(None, counted))}."


def elsewhere(count: int) -> str:
    """Say that a reader does not see everything."""
    messages = "One more message is" if count == 1 else f"{count} more messages are"
    return f"{messages} on other branches; an export as JSON lines has them all."
