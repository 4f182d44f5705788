"""A QR code for a text console: two rows of modules in one row of characters, of ``▀▄█`` and spaces only.

The console is black and its letters are light, so light modules are drawn and dark ones are left out. Importing this
module loads segno.
"""

import segno

# The standard asks for 4, but then a recovery key with its QR code and a question has no room on 24 rows.
_QUIET_MODULES = 3

_HALVES = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}


def qr_rows(text: str) -> list[str]:
    """Return the rows of the smallest QR code for *text*, quiet zone included."""
    modules = [list(row) for row in segno.make_qr(text, error="l").matrix_iter(border=_QUIET_MODULES)]
    if len(modules) % 2:
        modules.append([1] * len(modules[0]))
    pairs = zip(modules[::2], modules[1::2], strict=True)
    return ["".join(_HALVES[halves] for halves in zip(upper, lower, strict=True)) for upper, lower in pairs]
