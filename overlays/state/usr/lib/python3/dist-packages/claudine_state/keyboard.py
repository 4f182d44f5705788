"""The console's keyboard: layouts by their XKB names, and no keys that reach behind the client.

kbd compiles XKB layouts by itself, from the xkb-data package that it depends on through libxkbcommon; Debian has no
console keymaps in kbd.
"""

import re
from pathlib import Path

from claudine_state.host import Host

# Other consoles have nothing to show; Boot and SAK (secure attention) end programs; the Show_ keys print kernel state
# over the conversation; KeyboardSignal asks init for another console.
_UNWANTED = re.compile(
    r"\b(Console_\d+|Last_Console|Incr_Console|Decr_Console|KeyboardSignal|Boot|SAK|Show_\w+)\b", re.ASCII
)
_NAME = re.compile(r"(?P<layout>[a-z0-9_-]+)(?:\((?P<variant>[A-Za-z0-9_-]+)\))?", re.ASCII)


class UnknownLayoutError(ValueError):
    """There is no keyboard layout of that name."""


def check_layout(host: Host, name: str) -> None:
    """Check that *name*, such as ``de`` or ``de(nodeadkeys)``, is in XKB's list. Raises UnknownLayoutError."""
    match = _NAME.fullmatch(name)
    listed = _sections(host.root / "usr/share/X11/xkb/rules/base.lst")
    if not match or not any(line.split()[0] == match["layout"] for line in listed.get("layout", [])):
        raise UnknownLayoutError(name)
    wanted = [match["variant"], f"{match['layout']}:"]
    if match["variant"] and not any(line.split()[:2] == wanted for line in listed.get("variant", [])):
        raise UnknownLayoutError(name)


def load_layout(host: Host, name: str, terminal: str) -> None:
    """Load a checked layout into the kernel, for all consoles; *terminal* is any of them. Raises CommandError."""
    layout, _, variant = name.removesuffix(")").partition("(")
    options = [f"--xkb-variant={variant}"] if variant else []
    host.run(["loadkeys", f"--console={terminal}", "--unicode", "--quiet", f"--xkb-layout={layout}", *options])


def take_away_unwanted_keys(host: Host, terminal: str) -> None:
    """Let no key of the present layout, whichever it is, do what :data:`_UNWANTED` says. Raises CommandError.

    Reads back what the kernel has, because a layout leaves the kernel's own meaning to the keys it does not mention.
    """
    keys = host.run(["dumpkeys", f"--console={terminal}", "--keys-only", "--separate-lines"])
    harmless = without_unwanted_keys(keys.decode()).encode()
    host.run(["loadkeys", f"--console={terminal}", "--unicode", "--quiet", "-"], stdin=harmless)


def without_unwanted_keys(keymap: str) -> str:
    """Return *keymap* (keymaps(5)) with the unwanted meanings of keys replaced by none."""
    return _UNWANTED.sub("VoidSymbol", keymap)


def _sections(listing: Path) -> dict[str, list[str]]:
    """Return the lines of XKB's list by their section (``! layout``)."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in listing.read_text(encoding="utf-8").splitlines():
        if line.startswith("!"):
            current = sections.setdefault(line[1:].strip(), [])
        elif line.strip():
            current.append(line)
    return sections
