"""Which models fit into a machine's memory, and how long their conversations can be there."""

from dataclasses import dataclass

from builder.profile.catalogue import Model
from builder.profile.model import LEAST_CONTEXT_TOKENS


@dataclass(frozen=True)
class Fit:
    """A model in so much memory: `spare_bytes` is what is left at the wanted context, less than nothing if it lacks.

    `context_tokens` is the longest conversation for which there is memory, at most the wanted one; 0 if not even the
    shortest fits.
    """

    model: Model
    needed_bytes: int
    spare_bytes: int
    context_tokens: int

    @property
    def fits(self) -> bool:
        """Whether the model can run, if with shorter conversations than wanted."""
        return self.context_tokens > 0


def fit(model: Model, memory_bytes: int, wanted_tokens: int | None) -> Fit:
    """Say how `model` fits into `memory_bytes`; without a wanted context, it is the one that it was trained for."""
    wanted = model.context_tokens if wanted_tokens is None else min(wanted_tokens, model.context_tokens)
    needed = model.memory_bytes(wanted)
    spare = memory_bytes - needed
    possible = wanted
    if spare < 0:
        room = memory_bytes - model.memory_bytes(0)
        possible = room // model.kv_bytes_per_token if model.kv_bytes_per_token else 0
    return Fit(model, needed, spare, possible if possible >= LEAST_CONTEXT_TOKENS else 0)
