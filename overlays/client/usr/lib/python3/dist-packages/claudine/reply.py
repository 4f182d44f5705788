"""An answer in the making: what was said so far, in the record as it grows, and what is known of how it is made."""

import time
from typing import TYPE_CHECKING

from claudine.protocol import Done, Progress, Text
from claudine.record import Record
from claudine.trace import Trace
from claudine.tree import Entry

if TYPE_CHECKING:
    from claudine.runtime import Engine

# How often the record grows: a person sees no difference, and joining a long answer for each word adds up.
_GROW_S = 0.1


class Reply:
    """The answer to the leaf of *record*, or the rest of *goes_on*, which is the leaf."""

    def __init__(self, record: Record, goes_on: Entry | None) -> None:
        self.goes_on = goes_on
        self.said = False
        self.done: Done | None = None
        self._record = record
        self._before = Trace.from_json(goes_on.trace) if goes_on else Trace()
        self._pieces: list[str] = []
        self._blank = ""
        self._prompt_tokens: int | None = None
        self._tokens: int | None = None
        self._started_s = self._first_s = self._grown_s = time.monotonic()

    @property
    def tokens(self) -> int | None:
        """How many tokens were said now."""
        return self._tokens

    @property
    def seconds(self) -> float:
        """How long it has been speaking."""
        return time.monotonic() - self._first_s if self.said else 0.0

    @property
    def used(self) -> int | None:
        """How many tokens of the context it and all before it take."""
        if self._prompt_tokens is None or self._tokens is None:
            return None
        return self._prompt_tokens + self._tokens

    def read(self, progress: Progress) -> None:
        """Note how long the prompt is."""
        self._prompt_tokens = progress.total

    def take(self, text: Text) -> Text | None:
        """Add *text* and return what there is to show of it: nothing before the first word."""
        self._tokens = text.tokens
        if self.said:
            self._pieces.append(text.text)
            if time.monotonic() - self._grown_s >= _GROW_S:
                self._grow()
            return text
        self._blank += text.text
        if not self._blank.strip():
            return None
        self._begin()
        # Between what was said before and its continuation, white space means something.
        first = self._blank if self.goes_on else self._blank.lstrip()
        self._pieces.append(first)
        self._grow()
        return Text(first, text.tokens)

    def finish(self, done: Done) -> None:
        """Note the server's last word on it."""
        self.done = done
        self._tokens = done.tokens if done.tokens is not None else self._tokens
        self._prompt_tokens = done.prompt_tokens if done.prompt_tokens is not None else self._prompt_tokens

    def complete(self, engine: "Engine | None") -> None:
        """Have it saved as it is, with what is known of it."""
        prompt_tokens, tokens = self._prompt_tokens, self._tokens
        if self.used is not None and self._before.prompt_tokens is not None:
            # A continued answer is one answer: what was said before was read again, and is no question.
            prompt_tokens, tokens = self._before.prompt_tokens, self.used - self._before.prompt_tokens
        trace = Trace(
            model=engine.model if engine else self._before.model,
            build=engine.build if engine else self._before.build,
            prompt_tokens=prompt_tokens,
            tokens=tokens,
            n_ctx=engine.n_ctx if engine else self._before.n_ctx,
            seconds=round(self._before.seconds + time.monotonic() - self._started_s, 3),
        )
        self._grow()
        self._record.complete(trace.to_json())

    def _begin(self) -> None:
        self.said = True
        self._first_s = time.monotonic()
        if self.goes_on is None:
            self._record.add("assistant", "")
            return
        self._pieces.append(self.goes_on.text.rstrip())
        if any(entry.parent == self.goes_on.id for entry in self._record.tree.entries):
            # What followed it stays behind the answer that it was said to.
            self._record.add("assistant", "", parent=self.goes_on.parent)

    def _grow(self) -> None:
        self._pieces = ["".join(self._pieces)]
        self._record.extend(self._pieces[0])
        self._grown_s = time.monotonic()
