"""What Claudine says about her disk: first person, calm, what happened first and then what can be done.

The console wraps paragraphs; here each is one line to the screen, however long it is in this file.
"""

from claudine_state.diagnosis import Kind, Offer
from claudine_state.facts import Facts

_PROBLEMS = {
    Kind.NO_TPM: (
        "This image seals its disk to a TPM 2.0, a chip that gives out the key only to the system that made it, and "
        "this machine shows none.\n"
        "Please turn it on in the firmware settings, where it is called fTPM, PTT or Security Device. If the machine "
        "has none, it needs an image that was built with `storage.unlock: passphrase`."
    ),
    Kind.NOT_CREATED: (
        "I could not make my disk: the partition claudine-state is not there. What systemd-repart said last stands "
        "below. A restart tries again; nothing is lost, because there was nothing yet."
    ),
    Kind.NO_HEADER: (
        "My disk is there, but I find no encryption header on it, and without its header nobody can read it: "
        "{header_error}. It was overwritten, or the storage fails. If a restart does not help, starting over gives me "
        "an empty disk."
    ),
    Kind.ERASED: (
        "My disk was erased: it has no key left, so nobody can read what was on it. Starting over gives me an empty "
        "disk."
    ),
    Kind.FOREIGN_HEADER: (
        "This disk was not sealed by this machine: somebody replaced its header. I accept no recovery key for it, "
        "because whoever did that would know one. Starting over gives me an empty disk."
    ),
    Kind.TPM_MISSING: (
        "My disk is sealed to a TPM, and this machine shows none now. It was turned off in the firmware settings "
        "(fTPM, PTT or Security Device), it is broken, or the disk was moved to another machine."
    ),
    Kind.PCR7_CHANGED: (
        "The TPM does not give out the key of my disk, because PCR 7 changed: the Secure Boot settings of the "
        "firmware, or its keys, are not those that the disk was sealed to. {secure_boot} If you did not change them, "
        "please find out who did before you go on."
    ),
    Kind.NO_SIGNATURE: (
        "The TPM does not give out the key of my disk, because of PCR 11: what was started carries no signature for "
        "it. It was built without the key `pcr`, or started in an unusual way."
    ),
    Kind.OTHER_TPM: (
        "The TPM does not give out the key of my disk. PCR 7 is as it was, so the firmware's Secure Boot settings are "
        "not the reason: this is another TPM (another board, or it was cleared), or what was started is signed with "
        "another `pcr` key (PCR 11)."
    ),
    Kind.TPM_REFUSES: (
        "The TPM does not give out the key of my disk. I cannot tell why, since nobody wrote down what PCR 7 was: the "
        "Secure Boot settings changed (PCR 7), what was started is signed with another key (PCR 11), or this is "
        "another TPM. {secure_boot}"
    ),
    Kind.LOCKED: "My disk is still locked: the passphrase was not right, or nobody typed it in time.",
    Kind.DAMAGED: (
        "My disk is unlocked, but its file system could not be mounted. What was said about it stands below. A repair "
        "is worth trying first; it keeps what can be kept."
    ),
    Kind.OTHER: "My disk is all right, but the start failed elsewhere. These parts failed, each with its last words:",
}

_OFFERS = {
    Offer.UNLOCK: "[K] type the key",
    Offer.REPAIR: "[F] repair the file system",
    Offer.START_OVER: "[E] erase everything and start over",
    Offer.RESTART: "[R] restart",
    Offer.POWER_OFF: "[P] power off",
}

ASK_RECOVERY_KEY = (
    "Your recovery key opens it: 64 letters, written down when it was made. Capitals, dashes and spaces do not "
    "matter. Enter alone shows what else can be done; the word reset starts over."
)
ASK_PASSPHRASE = "Please type your passphrase. It is not shown. Enter alone shows what else can be done."
KEYBOARD = "The keyboard is a US one here, since the one you chose is noted on the disk."
RECOVERY_KEY_PROMPT = "> "
PASSPHRASE_PROMPT = "Passphrase: "
TRYING = "I am trying it; that can take a few seconds."
WRONG_KEY = "That key does not open this disk. Please compare it with what you wrote down."
WRONG_PASSPHRASE = "That passphrase does not open this disk."

OPENED = "The disk is open."
SEAL_OFFERS = "[S] seal it again to this machine as it is now\n[C] continue once without sealing"
SEAL_SECURE_BOOT_OFF = (
    "Secure Boot is not protecting this machine. If I seal the disk now, it opens by itself as long as that stays so; "
    "better turn it on first."
)
SEALING = "I am sealing it; that can take a few seconds."
CONTINUE_OFFER = "Without a TPM I cannot seal it, so I shall ask again next time.\n[C] continue"

START_OVER = (
    "Starting over erases everything that is on my disk, for good: no recovery key will bring it back. Then I restart "
    "with an empty disk.\n"
    "To do so, type the words erase everything and press Enter. Anything else goes back."
)
START_OVER_WORDS = "erase everything"

REPAIRING = "I am repairing the file system. Please leave me turned on."
GOING_DOWN = "A moment, please."
FAILED = "That did not work. {error}"

CHOOSE_PASSPHRASE = (
    "Hello, I am Claudine. This is my first start, and I make an encrypted disk for what I keep. It opens with a "
    "passphrase that you choose now and type at each start.\n"
    "It takes at least {minimum} characters, because whoever takes the disk away can try very many of them; four or "
    "five words that you picked by chance are good. I cannot bring it back if it is lost.\n"
    "The keyboard is a US one here, now and at each start. What you type is not shown."
)
PASSPHRASE_AGAIN = "Once more:  "
PASSPHRASE_SHORT = "That has {length} characters; it takes at least {minimum}, because shorter ones can be guessed."
PASSPHRASE_UNTYPABLE = "There is a key in it that is no character, such as an arrow. Please leave it out."
PASSPHRASE_DIFFERS = "The two are not the same. Please choose again."
PASSPHRASE_TAKEN = "Thank you. I am making the disk."


def problem(kind: Kind, facts: Facts) -> str:
    """Say what is wrong."""
    return _PROBLEMS[kind].format(header_error=facts.header_error, secure_boot=secure_boot(facts))


def offers(offered: tuple[Offer, ...]) -> str:
    """List the keys that do something."""
    return "\n".join(_OFFERS[offer] for offer in offered)


def secure_boot(facts: Facts) -> str:
    """Say what the firmware says of Secure Boot now, as a sentence."""
    if facts.setup_mode:
        return "Now the firmware is in setup mode, which means that Secure Boot checks nothing."
    match facts.secure_boot:
        case True:
            return "Now Secure Boot is on."
        case False:
            return "Now Secure Boot is off."
        case None:
            return "The firmware does not say whether Secure Boot is on."
