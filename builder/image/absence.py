"""The bill of absence: what an image does not have, and for each thing the command that looks for it.

The claims stand in the overlays' `absent:` sections. A command runs as root in the booted image; it prints what it
finds, and nothing when the claim holds. The build writes all of them beside the image, so that whoever has the image
can look for themselves.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from builder.errors import BuilderError
from builder.render.overlay import Overlay

ABSENCE = "absence.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Absence:
    """One claim: `absent` names the thing in a few words, `overlay` who claims it."""

    absent: str
    command: str
    overlay: str


def bill_of_absence(label: str, overlays: Iterable[Overlay]) -> str:
    """Return the text of `absence.json` for the image `label`, in the overlays' order."""
    claims = [
        Absence(absent, command, overlay.name)
        for overlay in overlays
        for absent, command in overlay.description.absent.items()
    ]
    bill = {"schema": SCHEMA_VERSION, "image": label, "absent": [asdict(claim) for claim in claims]}
    return json.dumps(bill, indent=2, ensure_ascii=False) + "\n"


def read_bill(out: Path) -> tuple[Absence, ...]:
    """Read the bill that a build left in `out`; raises BuilderError when there is none or it is not one of ours."""
    path = out / ABSENCE
    try:
        return tuple(Absence(**claim) for claim in json.loads(path.read_text())["absent"])
    except FileNotFoundError:
        hint = "Build the image again, or put the file that was built with it there"
        raise BuilderError(f"there is no bill of absence {path}", hint=hint) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BuilderError(f"{path} is not a bill of absence: {error}", hint="Build the image again") from error
