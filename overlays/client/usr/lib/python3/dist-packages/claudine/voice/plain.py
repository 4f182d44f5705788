"""What is said only in the face of flat text. No imports here."""

OFF_THE_RECORD = "(off the record) "
MORE = "Press Enter to go on, Ctrl+C to leave: "
CHOOSE = "Number, or words to look for (Enter takes *, Ctrl+C goes back): "
AND_MORE = "      and {count} more: type words to find them."
NOTHING_FOUND = "I found none with these words."

HELP = """\
Write a message and press Enter. While I answer, Ctrl+C stops me; what I have
said by then stays part of our conversation. Ctrl+C clears a line that you have
begun, and the up arrow brings back earlier ones.
"""
