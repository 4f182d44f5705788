"""Colours and weights. The words say everything already: a screen without colours loses nothing.

Only the console's own sixteen colours, so that the owner's palette holds. In high contrast, weight and underline stand
in for every colour.
"""

from dataclasses import dataclass

from rich.style import Style

PLAIN = Style()


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
