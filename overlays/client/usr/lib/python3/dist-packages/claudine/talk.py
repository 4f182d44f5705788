"""A conversation that goes on, without a user interface.

    talk = Talk(runtime, record)
    for event in talk.send("Where?"):      # nothing is sent before the first step
        match event: ...

Every answer is an iterator that runs in the caller's thread; ``stop()`` ends it from any other thread. What it says is
in the record as it grows, and the last event is always ``Ended``: nothing is raised that belongs to the runtime.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from claudine.protocol import Progress, Text
from claudine.record import Record

if TYPE_CHECKING:
    from claudine.runtime import Runtime


@dataclass(frozen=True)
class Waiting:
    """The runtime cannot answer yet: *kind* and *detail* are those of ``runtime.State``."""

    kind: str
    detail: str
    elapsed_s: float


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

    Without a word said, the message is taken back and stands in ``Talk.draft``. *tokens* and *seconds* count the
    answer.
    """

    remark: str = ""
    said: bool = True
    full: Full | None = None
    tokens: int | None = None
    seconds: float = 0.0


Event = Waiting | Progress | Text | Ended
MakeRoom = Literal["summarise", "drop", "fresh"]


class Answer:
    """An answer that is made while one iterates over its events; once only."""

    def __init__(self, events: Iterator[Event], stopped: threading.Event) -> None:
        self._events = events
        self._stopped = stopped

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def stop(self) -> None:
        """End it soon: the next event is ``Ended``. May be called from any thread, and a signal handler."""
        raise NotImplementedError


class Talk:
    """One terminal's conversation with the model."""

    def __init__(self, runtime: "Future[Runtime]", record: Record) -> None:
        self.runtime = runtime
        self.record = record
        self.draft = ""
        self.usage: Usage | None = None

    def resume(self) -> bool:
        """Go on where this terminal left off; say whether there was anything."""
        raise NotImplementedError

    def send(self, text: str) -> Answer:
        """Say *text* and have it answered."""
        raise NotImplementedError

    def again(self) -> Answer | None:
        """Have the last message answered anew, beside the answer that it has. None: there is none."""
        raise NotImplementedError

    def go_on(self) -> Answer | None:
        """Have the last answer continued where it ends. None: there is none."""
        raise NotImplementedError

    def edit(self, id_: str, text: str) -> Answer | None:
        """Put *text* beside the message *id_* and go there; a person's message is answered, Claudine's is not."""
        raise NotImplementedError

    def make_room(self, how: MakeRoom) -> Answer | None:
        """After ``Ended.full``: shorten the conversation as asked, and answer the message that did not fit.

        Nothing is deleted: what is left out stays in the record, and is not sent any more.
        """
        raise NotImplementedError
