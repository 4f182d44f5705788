"""The model that the owner has chosen, kept on the encrypted disk and used from the next start on."""

import json

from claudine_runtime.plan import LEAST_TOKENS
from claudine_runtime.shelf import Shelf
from claudine_state.durable import write_durably


def keep_choice(shelf: Shelf, model: str, wish: int | None) -> None:
    """Write the choice down. The image's own model, as long as it likes, needs none."""
    path = shelf.disk / "choice.json"
    if (model, wish) == (shelf.built_in(), None):
        path.unlink(missing_ok=True)
    else:
        write_durably(path, json.dumps({"model": model, "context_tokens": wish}) + "\n")


def read_choice(shelf: Shelf) -> tuple[str, int | None] | None:
    """Return what was chosen; None if nothing was, or what is there makes no sense."""
    try:
        document = json.loads((shelf.disk / "choice.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    match document:
        case {"model": str(model), "context_tokens": None}:
            return model, None
        case {"model": str(model), "context_tokens": int(wish)} if wish >= LEAST_TOKENS:
            return model, wish
    return None
