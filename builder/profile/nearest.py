"""What a person probably meant by a name that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches

# Below difflib's own 0.6, which misses half of the slips in names of three or four letters.
CUTOFF = 0.55


def nearest(word: str, known: Iterable[str], *, what: str) -> str:
    """Say which of the `known` names is nearest to `word`, and list them: a hint for an error.

    `what` names the list: "Profiles", "Keys of boot". Case does not count as a difference.
    """
    names = {name.lower(): name for name in sorted(known)}
    if not names:
        return f"{what}: none"
    close = get_close_matches(word.lower(), list(names), n=1, cutoff=CUTOFF)
    question = f"Did you mean {names[close[0]]}? " if close else ""
    return f"{question}{what}: {', '.join(names.values())}"
