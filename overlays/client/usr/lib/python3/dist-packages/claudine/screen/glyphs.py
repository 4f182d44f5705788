# ruff: noqa: RUF001
"""What the font of a Linux console can show.

It has a few hundred glyphs. Letters stay as they are: which ones there are depends on the font that goes with the
keyboard. The rest is put in ASCII where that says the same, and is else a shaded block as wide as the character.
"""

from rich.cells import cell_len

DRAWING = "─│┌┐└┘├┤█▀▄░▒▓·•"

_SAME = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": ",", "‹": "<", "›": ">",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "…": ".",
    "→": ">", "←": "<", "≤": "<", "≥": ">", "✓": "+", "✔": "+", "✗": "x", "✘": "x",
    "\u2028": " ", "\u2029": " ", "▌": "│", "▐": "│", "━": "─", "┃": "│", "◦": "·", "▪": "•", "●": "•",
}  # fmt: skip

_LAST_LETTER = 0x52F


class _Console(dict[int, str]):
    """A table for ``str.translate`` that grows with what comes by."""

    def __missing__(self, code: int) -> str:
        glyph = chr(code)
        if code < 0x7F or 0xA0 <= code <= 0xFF or glyph in DRAWING or (code <= _LAST_LETTER and glyph.isalpha()):
            shown = glyph
        else:
            shown = _SAME.get(glyph, "▒" * cell_len(glyph))
        self[code] = shown
        return shown


_CONSOLE = _Console()


def for_console(text: str) -> str:
    """Return *text* as such a console can show it, as wide as it was."""
    return text.translate(_CONSOLE)
