"""Numbers, digests and foreign text as a person reads them."""

import unicodedata

MOST_LETTERS = 2000
# Controls, formats (among them those that turn the direction of text around), halves of characters, and line breaks.
_SPELT_OUT = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str) -> str:
    """Spell out what would not be seen or would change how the text around it is read; cut very long text short."""
    if len(text) > MOST_LETTERS:
        text = f"{text[:MOST_LETTERS]} … ({len(text) - MOST_LETTERS:,} more letters)"
    return "".join(
        f"\\u{ord(letter):04x}" if unicodedata.category(letter) in _SPELT_OUT and letter != "\n" else letter
        for letter in text
    )


def size(size_bytes: int) -> str:
    """Return a size with three digits that count, in decimal units."""
    value, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def short_digest(digest: str) -> str:
    """Return the first 16 digits in groups of four: enough to compare at a glance, not to rely on."""
    return " ".join(digest[start : start + 4] for start in range(0, 16, 4)).strip()


def grouped_digest(digest: str) -> str:
    """Return all digits in groups of eight, which can be read out and compared."""
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def seconds(value: float) -> str:
    """Return a time with one decimal below ten seconds."""
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"


def share(part: float, whole: float) -> str:
    """Return a share in percent."""
    percent = 100 * part / whole if whole else 0.0
    return "< 0.1 %" if 0 < percent < 0.1 else f"{percent:.1f} %"
