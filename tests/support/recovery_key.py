"""The recovery key as a person copies it off the screen."""

import re

GROUP = "[cbdefghijklnrtuv]{8}"
KEY = f"{GROUP}(-{GROUP}){{7}}"


def key_on_screen(text: str) -> str:
    """Return the key among a screen's lines, in which it is spaced out for the eye."""
    found = re.search(KEY, re.sub(r"\s*-\s*", "-", text))
    assert found, f"no recovery key on the screen:\n{text}"
    return found[0]
