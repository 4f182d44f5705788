"""The line-mode face: a conversation in flat text, for a console, a serial line, a screen reader or a pipe."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from claudine import voice
from claudine.commands import Command, Session, called
from claudine.commands.chat import choose_room
from claudine.commands.models import offer_shorter
from claudine.face import StoppedError
from claudine.plain.face import ANSWER, PROMPT, LineFace
from claudine.plain.interrupts import Interrupts
from claudine.plain.status import TerminalGoneError, Ticker
from claudine.plain.terminal import Terminal
from claudine.protocol import Progress, Text, UnavailableError
from claudine.talk import Answer, Ended, Full, Waiting
from claudine.text import printable
from claudine.voice import chat as chat_voice
from claudine.voice import plain as plain_voice

# From here on it is worth a word that the context fills.
_FILLING = 0.75


class LineChat:
    """A conversation that goes on until the input ends. One that *stays* has no place to leave to: an appliance.

    There a message can be written before the model is in memory, and before the runtime is: loading takes its time.
    """

    def __init__(
        self,
        session: Session,
        commands: Sequence[Command],
        face: LineFace,
        terminal: Terminal,
        interrupts: Interrupts,
        *,
        stays: bool,
    ) -> None:
        self._session = session
        self._talk = session.talk
        self._commands = {command.name: command for command in commands}
        self._face = face
        self._terminal = terminal
        self._interrupts = interrupts
        self._stays = stays
        self._introduced: object = None
        self._recalled: object = None
        face.follow(self._last_exchange)

    def run(self, opening: Callable[[], Answer | None] | None = None) -> None:
        """Talk, after what comes first of all, if there is something.

        Raises UnavailableError or KeyboardInterrupt when the runtime cannot be had, unless this one stays.
        """
        resumed = self._talk.resume()
        answer = self._attempt(opening) if opening else None
        if self._face.wiped:
            self._terminal.say(voice.GREETING)
        self._show_place(resumed=resumed)
        if answer is not None:
            self._answer(answer)
        if not self._stays:
            ended = self._hear(self._talk.wait(), "")
            if ended.remark == voice.STOPPED:
                raise KeyboardInterrupt
            if ended.remark:
                raise UnavailableError(ended.remark)
        while (line := self._next_line()) is not None:
            if not line:
                continue
            match called(line):
                case None:
                    self._answer(self._talk.send(line))
                case name, argument if name in self._commands:
                    self._run(self._commands[name], argument)
                case name, _:
                    self._terminal.remark(voice.UNKNOWN_COMMAND.format(command=f"/{name}"))

    def _show_place(self, *, resumed: bool) -> None:
        """Show where this console left off."""
        if resumed:
            self._terminal.remark(voice.RESUMED)
            self._face.show_conversation()
        if self._talk.unanswered:
            self._terminal.remark(voice.UNANSWERED)

    def _last_exchange(self) -> Sequence[tuple[str, str]]:
        return [(PROMPT if entry.role == "user" else ANSWER, entry.text) for entry in self._talk.record.path[-2:]]

    def _run(self, command: Command, argument: str) -> None:
        if command.needs_person and not self._terminal.interactive:
            self._terminal.remark(voice.NEEDS_A_PERSON)
            return
        answer = self._attempt(partial(command.run, self._session, argument))
        if answer is not None:
            self._answer(answer)

    def _attempt(self, job: Callable[[], Answer | None]) -> Answer | None:
        """Do *job*. A fault in one is no reason to lose the conversation."""
        try:
            return job()
        except TerminalGoneError:
            raise
        except StoppedError:
            self._terminal.remark(voice.STOPPED_BUSY)
        except Exception as error:
            self._terminal.remark(voice.STUMBLED.format(fault=f"{type(error).__name__}: {error}"))
        return None

    def _next_line(self) -> str | None:
        self._recall()
        prompt = plain_voice.OFF_THE_RECORD + PROMPT if self._talk.record.private else PROMPT
        at_end = False
        while True:
            draft, self._talk.draft = self._talk.draft, ""
            try:
                with self._interrupts.armed():
                    return printable(self._terminal.read_line(prompt, draft)).strip()
            except KeyboardInterrupt:
                self._terminal.say("")
            except EOFError:
                if not (self._stays and self._terminal.interactive) or self._terminal.hung_up():
                    self._terminal.say("")
                    return None
                # Once is enough when somebody leans on the keys, or a line keeps saying that it is at its end.
                self._terminal.say("")
                if not at_end:
                    self._terminal.remark(voice.NOWHERE_TO_GO)
                at_end = True
                time.sleep(0.2)

    def _recall(self) -> None:
        """Have the arrow keys bring back what was said here, and nothing else, after a change of conversations."""
        record = self._talk.record
        if (record.id, record.earlier_prompts) != self._recalled:
            self._recalled = (record.id, record.earlier_prompts)
            prompts = (*record.earlier_prompts, *record.prompts)
            self._terminal.recall(text for text in prompts if "\n" not in text)

    def _answer(self, answer: Answer) -> None:
        """Print *answer*, and the one that comes when there had to be room for it."""
        before = self._fill()
        heard: Answer | None = answer
        while heard is not None:
            ended = self._hear(heard, voice.THINKING)
            if ended.remark:
                self._terminal.remark(ended.remark)
            heard = self._make_room(ended.full) if ended.full and ended.full.can_shorten else None
            if ended.out_of_memory and self._terminal.interactive:
                self._attempt(partial(offer_shorter, self._session))
        if before <= _FILLING < self._fill():
            self._terminal.remark(chat_voice.FILLING.format(percent=int(100 * self._fill())))
        self._terminal.say("")

    def _make_room(self, full: Full) -> Answer | None:
        if not self._terminal.interactive:
            self._terminal.remark(chat_voice.DROPPED)
            return self._talk.make_room("drop")
        how = choose_room(self._session, chat_voice.ROOM_ABOUT)
        return self._talk.make_room(how) if how else None

    def _hear(self, answer: Answer, doing: str) -> Ended:
        """Print *answer* while it arrives, and say what is being done as long as there is none of it."""
        said = False
        # Blank lines are held back until something follows them.
        held = ""
        waits_since_s: float | None = None
        self._interrupts.forget()
        with (
            self._interrupts.calling(answer.stop),
            self._terminal.quiet(),
            self._terminal.status.ticking() as ticker,
        ):
            if doing:
                ticker.say(doing)
            for event in answer:
                if isinstance(event, Waiting):
                    waits_since_s = time.monotonic() - event.elapsed_s
                    self._show_waiting(ticker, event)
                    continue
                self._introduce(ticker, time.monotonic() - waits_since_s if waits_since_s else 0.0)
                match event:
                    case Progress():
                        # After a wait, the count begins anew.
                        ticker.say(voice.reading(event.percent), elapsed_s=0.0 if waits_since_s else None)
                        waits_since_s = None
                    case Text(text):
                        ticker.stop()
                        shown = (held + text).rstrip("\n")
                        held = (held + text)[len(shown) :]
                        self._terminal.say(shown if said else ANSWER + shown.lstrip(), end="")
                        said = True
                    case Ended():
                        ticker.stop()
                        if said:
                            self._terminal.say("")
                        return event
        raise AssertionError("an answer ends with Ended")

    def _show_waiting(self, ticker: Ticker, event: Waiting) -> None:
        ticker.say(voice.reason(event.kind), elapsed_s=event.elapsed_s)
        if not self._terminal.status.in_place:
            self._terminal.status.show(voice.waiting(event.kind, event.elapsed_s))

    def _introduce(self, ticker: Ticker, waited_s: float) -> None:
        """Say which model answers, once it is known, and again when the runtime came back."""
        engine = self._talk.engine
        if engine is not None and engine is not self._introduced:
            self._introduced = engine
            ticker.stop()
            self._terminal.remark(voice.ready(engine.model, waited_s))

    def _fill(self) -> float:
        usage = self._talk.usage
        return usage.used / usage.size if usage else 0.0
