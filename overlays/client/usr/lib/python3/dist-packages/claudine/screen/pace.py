"""How fast an answer comes."""

import time

from claudine.voice import screen as voice


class Pace:
    """Says it in *words*, once an answer has gone on for a second; empty before that."""

    def __init__(self) -> None:
        self.words = ""
        self._first: tuple[int, float] | None = None

    def note(self, tokens: int | None) -> None:
        """Take note that there are so many tokens by now."""
        if tokens is None:
            return
        if self._first is None:
            self._first = (tokens, time.monotonic())
        first, began_s = self._first
        passed_s = time.monotonic() - began_s
        if tokens > first and passed_s >= 1:
            self.words = voice.speed((tokens - first) / passed_s)
