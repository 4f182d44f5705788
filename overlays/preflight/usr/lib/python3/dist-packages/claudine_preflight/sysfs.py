"""Values that the kernel tells in files of one line each. What devices say of themselves is somebody else's text."""

from pathlib import Path

from claudine_state.text import printable

# A value of the kernel's has at most one page (sysfs(5)).
_LIMIT_BYTES = 4096


def value(path: Path) -> str | None:
    """Return what a file says, fit for a terminal; None where there is no such file, or it cannot be read."""
    try:
        with path.open("rb") as file:
            return printable(file.read(_LIMIT_BYTES).decode(errors="replace").strip())
    except OSError:
        return None


def number(path: Path) -> int | None:
    """Return the number in a file, decimal or with 0x before it; None where there is none."""
    text = value(path)
    try:
        return int(text, 0) if text else None
    except ValueError:
        return None
