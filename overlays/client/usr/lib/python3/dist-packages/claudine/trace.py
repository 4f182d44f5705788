"""What is known of how an answer was made. It is kept with the answer, as JSON."""

import json
from dataclasses import asdict, dataclass
from typing import Self

from claudine.text import printable


@dataclass(frozen=True)
class Trace:
    """Counts are in tokens, by the server's own count; None where it gave none.

    *prompt_tokens* were read before the answer began, *tokens* are the answer, *n_ctx* is what the model could hold.
    *seconds* is the time from the question to the end. *build* is the server's.
    """

    model: str = ""
    build: str = ""
    prompt_tokens: int | None = None
    tokens: int | None = None
    n_ctx: int | None = None
    seconds: float = 0.0

    def to_json(self) -> str:
        """Return it as one JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what *text* says, which may be anything; what makes no sense is as if it were not there."""
        try:
            found = json.loads(text or "{}")
        except (ValueError, RecursionError):
            found = None
        known: dict[str, object] = {}
        for name, value in found.items() if isinstance(found, dict) else ():
            match name, value:
                case (("model" | "build"), str()):
                    known[name] = printable(value)
                case (("prompt_tokens" | "tokens" | "n_ctx"), int()) if value >= 0 and type(value) is int:
                    known[name] = value
                case "seconds", int() | float() if 0 <= value < 1e9:
                    known[name] = float(value)
        return cls(**known)  # type: ignore[arg-type]
