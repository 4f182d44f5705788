"""What is said of one conversation: its branches, its persona and its settings. No imports here."""

NEW_COMMAND = "Start a new conversation"
AGAIN_COMMAND = "Answer your last message anew"
GO_ON_COMMAND = "Go on with my last answer"
EDIT_COMMAND = "Change your last message"
BACK_COMMAND = "Go back to an earlier message"
OTHER_COMMAND = "Show the next version, where there are several"
PRIVATE_COMMAND = "Start a conversation off the record"
PERSONA_COMMAND = "Choose how I answer"
SETTINGS_COMMAND = "Set temperature, length and seed"
CONTEXT_COMMAND = "Show how full our conversation is, and make room"
HELP_COMMAND = "Show this page"
HELP_TITLE = "What I understand"

AFRESH = "We start afresh."
NOTHING_YET = "There is no message yet."
NO_ANSWER_YET = "There is no answer of mine yet."

EDIT_PROMPT = "You: "
EDIT_ANSWER_PROMPT = "Claudine: "
EDITED = "The answer is changed beside the one I gave; /other shows that one."

YOU, CLAUDINE = "You", "Claudine"
BACK = "Our messages, the last one first"
BACK_ABOUT = "Nothing is lost: what followed stays beside what comes now, and /other leads back to it."
WHAT_TO_DO = "What shall I do with it?"
CHANGE = "Change it"
CHANGE_NOTE = "and go on from there"
FROM_HERE = "Go on from here"
FROM_HERE_NOTE = "what you say next follows this answer"
VERSIONS = "Show its other versions"
VERSIONS_TITLE = "Versions"
BACK_THERE = "We are there. What you say next follows."
VERSION = "Version {number} of {count}."
NO_OTHER = "There is only one version of everything here."

PRIVATE_BEGUN = (
    "From here on we are off the record: this conversation is in memory only, my runtime keeps nothing of it between "
    "answers, and it is gone when we leave it. /new ends it. To check: /chats does not list it, and no restart brings "
    "it back."
)

PERSONA = "How shall I answer in this conversation?"
PERSONA_OWN = "In words of your own"
PERSONA_OWN_PROMPT = "Tell me: "
PERSONA_SET = "I keep to that in this conversation: {persona}"
PERSONA_RESET = "I answer as I am."
# A title for the person, and what the model gets to read; plain, because a small model follows no long instruction.
PERSONAS = (
    ("As I am", ""),
    ("In brief", "Answer in one or two short sentences."),
    ("As a patient teacher", "Explain in simple words, step by step, with an example."),
    ("As an editor", "Correct spelling and grammar, keep the meaning, and answer with the corrected text only."),
    ("As a translator into English", "Translate into English and answer with the translation only."),
    ("As somebody who thinks along", "Help me think: answer briefly, then ask one short question that leads further."),
)

SETTINGS = "Settings of this conversation"
TEMPERATURE = "Temperature"
TEMPERATURE_NOTE = "{value}; 0 is always the likeliest word, 2 is wild"
TEMPERATURE_PROMPT = "Temperature, from 0 to 2: "
LENGTH = "Length"
LENGTH_NOTE = "at most {value} tokens in one answer"
LENGTH_PROMPT = "The longest answer, in tokens: "
SEED = "Seed"
SEED_NOTE = "{value}; the same seed gives the same answer again"
SEED_CHANCE = "left to chance"
SEED_PROMPT = "Seed, a whole number, or nothing to leave it to chance: "
USUAL = "Back to the usual ones"
USUAL_DONE = "These are the usual settings again."
NO_SENSE = "{value} makes no sense there, so I changed nothing. For example: {example}"
NOTHING = "Nothing"
UNKNOWN_SETTING = "I know temperature, length and seed. For example: /settings temperature 0.7"

CONTEXT = "Our conversation takes {used:,} of the {size:,} tokens that I can hold at once: {percent} %."
CONTEXT_UNKNOWN = "I know how full our conversation is after my next answer."
SPEED = "My last answer came at {speed:.1f} tokens a second."
FILLING = "Our conversation fills {percent} % of what I can hold at once. /context makes room."

ROOM = "How shall I make room?"
ROOM_ABOUT = "Nothing is deleted. What I leave out stays in our conversation; I do not read it any more."
SUMMARISE = "Summarise"
SUMMARISE_NOTE = "I sum up the oldest messages, and read the summary in their place"
DROP = "Leave out the oldest"
DROP_NOTE = "quick, and I know nothing of them any more"
FRESH = "Start afresh"
FRESH_NOTE = "a new conversation, with the same persona and settings"
LEAVE = "Leave it as it is"
DROPPED = "I leave out our oldest messages and try again."
