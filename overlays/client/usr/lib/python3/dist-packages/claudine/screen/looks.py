"""Colours and weights. The words say everything already: a screen without colours loses nothing.

Only the console's own sixteen colours, so that the owner's palette holds. In high contrast, weight and underline stand
in for every colour.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from rich.style import Style

from claudine import settings

PLAIN = Style()
_CONTRAST, _ON = "contrast", "on"


@dataclass(frozen=True)
class Looks:
    """How what stands in a conversation is set apart."""

    you: Style
    claudine: Style
    text: Style
    remark: Style
    faint: Style
    heading: Style
    code: Style


QUIET = Looks(
    you=Style(bold=True),
    claudine=Style(color="cyan", bold=True),
    text=PLAIN,
    remark=Style(color="yellow"),
    faint=Style(color="cyan"),
    heading=Style(bold=True),
    code=Style(color="green"),
)

_WHITE = Style(color="bright_white", bold=True)
CONTRAST = Looks(
    you=_WHITE + Style(reverse=True),
    claudine=_WHITE + Style(underline=True),
    text=_WHITE,
    remark=_WHITE,
    faint=_WHITE,
    heading=_WHITE + Style(underline=True),
    code=_WHITE,
)


def read_contrast() -> bool:
    """Say whether high contrast was chosen before."""
    return settings.read_object(_chosen()).get(_CONTRAST) == _ON


def note_contrast(on: bool) -> None:
    """Have it chosen after the next start. Where nothing can be stored, it holds as long as this client runs."""
    with contextlib.suppress(OSError):
        settings.write_object(_chosen(), {_CONTRAST: _ON if on else "off"})


def _chosen() -> Path:
    # Not in settings.json: that is the state service's to know.
    return settings.directory() / "screen.json"
