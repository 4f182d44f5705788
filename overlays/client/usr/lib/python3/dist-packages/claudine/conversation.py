"""Messages, and what a person has chosen for one conversation."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from claudine.defaults import MAX_TOKENS, TEMPERATURE
from claudine.text import printable

# Empty, and yet there: with no system message at all, the chat template of SmolLM2 puts in its own, 16 tokens that take
# 12 s to read under emulation. Tried with that model, four plain questions six times each at temperature 0.2: 24 of 24
# right with an empty one, 18 with the template's, 13 with "You are Claudine, a helpful assistant." (the name alone
# makes so small a model think of France, in French).
NO_PERSONA = ""

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One turn of one speaker."""

    role: Role
    text: str


@dataclass(frozen=True)
class ChatSettings:
    """What a person has chosen for one conversation.

    *persona* is the system prompt's text. *cut* is the id of the first message that is still sent after the oldest were
    left out, and *summary* stands for those.
    """

    persona: str = NO_PERSONA
    temperature: float = TEMPERATURE
    max_tokens: int = MAX_TOKENS
    seed: int | None = None
    cut: str | None = None
    summary: str = ""

    def to_json(self) -> str:
        """Return it as one JSON object."""
        import json

        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what *text* says. What is missing, unknown or makes no sense is as if it had not been chosen."""
        import json

        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        return cls.from_values(found if isinstance(found, dict) else {})

    @classmethod
    def from_values(cls, found: dict[str, Any]) -> Self:
        """Return what an object of JSON says, in the same way."""
        chosen: dict[str, Any] = {}
        temperature: Any = found.get("temperature")
        if type(temperature) in (int, float) and 0 <= temperature <= 2:
            chosen["temperature"] = float(temperature)
        for name, least, most in (("max_tokens", 1, 1_000_000), ("seed", 0, 2**32 - 1)):
            number = found.get(name)
            if type(number) is int and least <= number <= most:
                chosen[name] = number
        for name in ("persona", "cut", "summary"):
            if isinstance(text := found.get(name), str):
                chosen[name] = printable(text)
        return cls(**chosen)
