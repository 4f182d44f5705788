"""What Claudine says of the conversations that she keeps. No imports here."""

NOTHING_STORED = "I have stored nothing here: what we say is in memory only."
GONE = "That conversation is not there any more; it may have been deleted on another screen."
MIXED = "a message in it belongs to another conversation that I have"
