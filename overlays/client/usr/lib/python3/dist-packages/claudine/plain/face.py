"""The face of flat text: what is asked and shown beside the conversation, on a console, a serial line or a pipe.

Nothing here moves a cursor: lists are numbered, and what is typed is a number, or words to look for.
"""

import os
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from claudine.face import Option, StoppedError
from claudine.plain.interrupts import Interrupts
from claudine.plain.question import question
from claudine.plain.terminal import Terminal
from claudine.stop import Stop
from claudine.text import joined
from claudine.voice import plain as voice

PROMPT = "You: "
ANSWER = "Claudine: "

# Bright white on black, whatever the terminal's own colours are: phones want the light modules of a QR code light.
_LIGHT, _PLAIN = "\x1b[1;37;40m", "\x1b[0m"
_MODULES = frozenset("▀▄█ ")
# Where the text of a line begins: behind spaces, or in the second column of a table.
_COLUMN = re.compile(r" *(?:\S+(?: \S+)* {2,})?")

_DEFAULT_ROWS = 24
# Of a long list, what fits on a small screen together with what is asked.
_LISTED = 15
# Of each side of the last exchange, when a conversation goes on.
_RESUMED_ROWS = 6


class LineFace:
    """*terminal* with a person at it, or a pipe."""

    def __init__(self, terminal: Terminal, interrupts: Interrupts) -> None:
        self._terminal = terminal
        self._interrupts = interrupts
        # Whether what stood on the screen has had to go for something that must not stay there.
        self.wiped = False
        self._exchange: Callable[[], Sequence[tuple[str, str]]] = tuple

    @property
    def interactive(self) -> bool:
        """Say whether somebody is there to answer."""
        return self._terminal.interactive

    @property
    def virtual(self) -> bool:
        """Say whether this is the screen and the keyboard of the machine itself."""
        return self._terminal.virtual

    @property
    def wipes(self) -> bool:
        """Say whether ``ask_alone`` can leave nothing on the screen."""
        return self._terminal.status.in_place

    def remark(self, sentence: str) -> None:
        """Say one sentence, set apart from the conversation."""
        self._terminal.remark(sentence)

    def page(self, title: str, text: str) -> None:
        """Print a text, a screenful at a time where somebody reads it."""
        rows = [title, "", *self._wrapped(text)]
        if not self.interactive:
            self._terminal.say("\n".join(rows))
            return
        height = max(2, self._height() - 2)
        for start in range(0, len(rows), height):
            if start and self.ask(voice.MORE) != "":
                return
            self._terminal.say("\n".join(rows[start : start + height]))

    def ask(self, prompt: str, *, draft: str = "", about: str = "") -> str | None:
        """Ask for one line."""
        if about:
            self._terminal.say("\n".join(self._wrapped(about)))
        return question(self._terminal, self._interrupts, prompt, draft)

    def ask_alone(self, rows: Sequence[str], note: str, prompt: str) -> str | None:
        """Ask with nothing else on the screen, and clear it afterwards."""
        self._terminal.clear()
        try:
            self._terminal.say("\n".join([*map(self._lit, rows), note]))
            return question(self._terminal, self._interrupts, prompt)
        finally:
            self._terminal.clear()
            self.wiped = self.wipes

    def choose(self, title: str, options: Sequence[Option], *, about: str = "", start: int = 0) -> int | None:
        """Let a number be typed, or words that only some of *options* have; Enter takes the one that is marked."""
        places: Sequence[int] = range(len(options))
        heading = "\n".join(filter(None, [title, *self._wrapped(about)]))
        while True:
            self._terminal.say(heading)
            for place in places[:_LISTED]:
                self._terminal.say(self._listed(place, options[place], marked=place == start))
            if len(places) > _LISTED:
                self._terminal.say(voice.AND_MORE.format(count=len(places) - _LISTED))
            answer = question(self._terminal, self._interrupts, voice.CHOOSE)
            if answer is None:
                return None
            if not answer:
                return start
            if (chosen := _chosen(answer, options)) is not None:
                return chosen
            found = [place for place, option in enumerate(options) if _matches(option, answer)]
            if not found:
                self.remark(voice.NOTHING_FOUND)
            else:
                places, start = found, found[0]

    @contextmanager
    def busy(self, text: str, stop: Stop | None = None) -> Iterator[Callable[[str], None]]:
        """Show *text* and the seconds that pass."""
        pressed = stop or Stop()
        with (
            self._interrupts.calling(pressed.press),
            self._terminal.quiet(),
            self._terminal.status.ticking() as ticker,
        ):

            def say(changed: str) -> None:
                if pressed.pressed:
                    raise StoppedError
                ticker.say(changed)

            say(text)
            yield say
        if stop is not None and stop.pressed:
            raise StoppedError

    def follow(self, exchange: Callable[[], Sequence[tuple[str, str]]]) -> None:
        """Take from *exchange* what was said last, as labels and texts."""
        self._exchange = exchange

    def show_conversation(self) -> None:
        """Print the end of the last exchange."""
        from claudine.text import last_rows

        columns = self._terminal.status.columns() - len(ANSWER)
        for label, text in self._exchange():
            self._terminal.say(label + last_rows(text, rows=_RESUMED_ROWS, columns=columns))

    def _wrapped(self, text: str) -> list[str]:
        width = max(20, self._terminal.status.columns() - 1)
        rows: list[str] = []
        for line in joined(text.rstrip("\n")).split("\n") if text else []:
            column = _COLUMN.match(line)
            indent = " " * min(column.end() if column else 0, width // 2)
            rows += textwrap.wrap(line, width, subsequent_indent=indent) or [""]
        return rows

    def _lit(self, row: str) -> str:
        return f"{_LIGHT}{row}{_PLAIN}" if self.wipes and row and _MODULES.issuperset(row) else row

    def _listed(self, place: int, option: Option, *, marked: bool) -> str:
        note = f": {option.note}" if option.note else ""
        return f"{'*' if marked else ' '}{place + 1:3}  {option.title}{note}"

    def _height(self) -> int:
        try:
            return os.get_terminal_size().lines or _DEFAULT_ROWS
        except (OSError, ValueError):
            return _DEFAULT_ROWS


def _chosen(answer: str, options: Sequence[Option]) -> int | None:
    """Return the place that *answer* names: by its number, or by all of its title or key."""
    if answer.isdecimal() and 0 < int(answer[:9]) <= len(options):
        return int(answer) - 1
    wanted = answer.casefold()
    named = [
        place for place, option in enumerate(options) if wanted in (option.title.casefold(), option.key.casefold())
    ]
    return named[0] if len(named) == 1 else None


def _matches(option: Option, answer: str) -> bool:
    text = f"{option.title} {option.note} {option.key}".casefold()
    return all(word in text for word in answer.casefold().split())
