"""What Claudine says of the machine's settings and at its first start. No imports."""

KEYBOARD_COMMAND = "Choose the keyboard's layout"
KEYBOARD = "Which keyboard is it?"
VARIANT = "Which kind of it?"
USUAL = "the usual one"
TRY_KEYBOARD = "The keyboard is {name} now. Try the letters that matter to you, then press Enter to keep it."
TRY_PROMPT = "Try it here (Escape or Ctrl+C brings the old one back): "
KEYBOARD_KEPT = "The keyboard is {name}."
KEYBOARD_BACK = "The keyboard is as it was."

ZONE_COMMAND = "Choose the time zone"
ZONE = "Where is this machine?"
UTC_NOTE = "the same time everywhere"
ZONE_KEPT = "The time zone is {name}; by my clock it is {time}."

NAME_COMMAND = "Give this machine a name"
NAME = "A name for this machine, up to 63 letters a to z, digits and hyphens, such as attic."
NAME_PROMPT = "Its name: "
NAME_WRONG = "That is no name for a machine. It has letters a to z, digits and hyphens, none at its ends, 63 at most."
NAME_KEPT = "This machine is called {name}."

LOOKING = "I am looking at my settings"
APPLYING = "I am changing it"
NOT_STORED = "I cannot store that ({reason}), so nothing is changed."

FIRST_RUN_COMMAND = "Go through the first questions again"
FIRST_RUN = "A few questions first. Enter keeps what there is, and /first-run brings them back."

EXPERIMENT = "Hand me one small thing and watch it run."
EXPERIMENT_ABOUT = "My model may be wrong, but it runs here, and you can see it work."
TINY_QUESTIONS = (
    "What is the capital of France?",
    "Name three colours.",
    "What does a baker make?",
)
OWN_QUESTION = "Something of your own"
OWN_PROMPT = "Your small thing: "
WHAT_HAPPENED = (
    "That was {tokens}in {time}, made in this machine. What the kernel says of my network: {network}. /prove shows how "
    "that is known."
)
TOKENS = "{count} tokens "
