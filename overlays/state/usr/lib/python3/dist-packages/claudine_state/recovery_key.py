"""Recovery keys as systemd makes them: 64 letters of the modhex alphabet, in 8 groups of 8.

Capitals, dashes and spaces are as the person likes them: ``CBDEFGHI jkln…`` stands for ``cbdefghi-jkln…``.
Source: systemd, src/shared/recovery-key.c.
"""

# 16 letters that are on the same keys of (almost) every keyboard layout.
LETTERS = "cbdefghijklnrtuv"
LENGTH = 64


class NotARecoveryKeyError(ValueError):
    """What was typed cannot be a recovery key. ``str()`` says why, as a sentence."""


def normalise(typed: str) -> str:
    """Return the recovery key that *typed* stands for, as the disk knows it. Raises NotARecoveryKeyError."""
    letters = "".join(typed.lower().replace("-", " ").split())
    wrong = [letter for letter in letters if letter not in LETTERS]
    if wrong:
        named = f"the letter {wrong[0]}" if wrong[0].isalpha() and wrong[0].isascii() else "a character"
        raise NotARecoveryKeyError(f"There is {named} in it that no recovery key has; they have only {LETTERS}.")
    if len(letters) != LENGTH:
        raise NotARecoveryKeyError(f"It has {len(letters)} letters; a recovery key has {LENGTH}.")
    return "-".join(letters[at : at + 8] for at in range(0, LENGTH, 8))
