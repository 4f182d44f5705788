"""What happens while an answer is made, as events, and the answer itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from claudine.protocol import Progress, Text


@dataclass(frozen=True)
class Waiting:
    """The runtime cannot answer yet: *kind* and *detail* are those of ``runtime.State``, or *kind* is ``summary``."""

    kind: str
    detail: str
    elapsed_s: float


@dataclass(frozen=True)
class Trouble:
    """Why no model answers, in a sentence; *out_of_memory* if a shorter conversation may help."""

    sentence: str
    out_of_memory: bool


@dataclass(frozen=True)
class Usage:
    """How full the context is, in tokens, by the server's own count."""

    used: int
    size: int


@dataclass(frozen=True)
class Full:
    """The conversation does not fit. *can_shorten* is False when the last message alone is too long."""

    n_prompt: int
    n_ctx: int
    can_shorten: bool


@dataclass(frozen=True)
class Ended:
    """The answer is over. *remark* is a sentence for the person, empty if there is nothing to say.

    Without a word said, all is as it was before, and a message that was sent stands in ``Talk.draft``. *tokens* and
    *seconds* count the answer from its first word on. *out_of_memory* says that the model ended for want of it.
    """

    remark: str = ""
    said: bool = True
    full: Full | None = None
    tokens: int | None = None
    seconds: float = 0.0
    out_of_memory: bool = False


Event = Waiting | Progress | Text | Ended
MakeRoom = Literal["summarise", "drop", "fresh"]


class Answer:
    """An answer that is made while one iterates over its events; once only.

    ``stop()`` ends it soon: the next event is ``Ended``. It may be called from any thread, and a signal handler.
    """

    def __init__(self, events: Iterator[Event], stop: Callable[[], None]) -> None:
        self._events = events
        self.stop = stop

    def __iter__(self) -> Iterator[Event]:
        return self._events
