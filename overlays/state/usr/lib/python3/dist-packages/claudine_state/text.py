"""Text from elsewhere, made fit for a terminal."""


def printable(text: str) -> str:
    """Return *text* with each control character replaced, so that it can neither move the cursor nor hide."""
    return "".join(character if character.isprintable() else "?" for character in text.expandtabs()).rstrip()
