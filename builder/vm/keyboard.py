"""Typing on the machine's keyboard: characters → the keys of a US layout, by QEMU's names (QMP `QKeyCode`)."""

from builder.errors import BuilderError

SHIFT = "shift"
_NAMED = {
    " ": "spc",
    "\n": "ret",
    "\t": "tab",
    "\b": "backspace",
    "\x1b": "esc",
    "-": "minus",
    "=": "equal",
    "[": "bracket_left",
    "]": "bracket_right",
    ";": "semicolon",
    "'": "apostrophe",
    "`": "grave_accent",
    "\\": "backslash",
    ",": "comma",
    ".": "dot",
    "/": "slash",
}
_SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./", strict=True))


def keys(text: str) -> list[list[str]]:
    r"""Return the keys to press together for each character; control characters as Ctrl and a letter.

    >>> keys("Hi!\x03")
    [['shift', 'h'], ['i'], ['shift', '1'], ['ctrl', 'c']]
    """
    return [_chord(character) for character in text]


def _chord(character: str) -> list[str]:
    if character in _NAMED:
        return [_NAMED[character]]
    if character in _SHIFTED:
        return [SHIFT, *_chord(_SHIFTED[character])]
    if character.isascii() and character.isalnum():
        return [SHIFT, character.lower()] if character.isupper() else [character]
    if "\x01" <= character <= "\x1a":
        return ["ctrl", chr(ord(character) + ord("a") - 1)]
    raise BuilderError(f"a US keyboard has no key for {character!r}")
