"""The line-mode face: a conversation in flat text, for a console, a serial line, a screen reader or a pipe."""

import time
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claudine import voice
from claudine.commands.machine import Machine
from claudine.conversation import Conversation
from claudine.plain.interrupts import Interrupts
from claudine.plain.question import question
from claudine.plain.terminal import Terminal
from claudine.protocol import ContextFullError, Done, Progress, RuntimeFailedError, Text, UnavailableError
from claudine.record import Record
from claudine.store import StoreError
from claudine.text import last_rows, printable

if TYPE_CHECKING:
    from claudine.runtime import Runtime, State

PROMPT = "You: "
ANSWER = "Claudine: "

# Of the context that is left after forgetting, a quarter is for the answer.
_KEEP = 0.75
# Of each side of the last exchange, when a conversation goes on.
_RESUMED_ROWS = 6


@dataclass(frozen=True)
class _Reply:
    """What came back for one message: the text so far, and what kept it from being all, if anything did."""

    text: str
    remark: str = ""
    failure: RuntimeFailedError | None = None


class LineChat:
    """A conversation that goes on until the input ends. One that *stays* has no place to leave to: an appliance.

    There a message can be written before the model is in memory, and before *runtime* is: loading takes its time.
    """

    def __init__(
        self,
        runtime: "Future[Runtime]",
        terminal: Terminal,
        interrupts: Interrupts,
        record: Record,
        machine: Machine,
        *,
        stays: bool,
    ) -> None:
        self._runtime = runtime
        self._terminal = terminal
        self._interrupts = interrupts
        self._record = record
        self._machine = machine
        self._stays = stays
        self._conversation = Conversation()
        self._draft = ""
        self._introduced = False

    def run(self) -> None:
        """Talk. Raises UnavailableError or KeyboardInterrupt when the runtime cannot be had, unless this one stays."""
        self._resume()
        if not self._stays:
            with self._interrupts.armed():
                self._introduce(self._wait())
        while (line := self._next_line()) is not None:
            match line.split():
                case []:
                    continue
                case ["/help"]:
                    self._terminal.say(voice.HELP)
                case ["/new"]:
                    self._record.begin()
                    self._start_afresh(voice.AFRESH)
                case ["/forget" | "/recovery-key" | "/reset"] if not self._terminal.interactive:
                    self._terminal.remark(voice.NEEDS_A_PERSON)
                case ["/forget"]:
                    self._forget()
                case ["/recovery-key"]:
                    self._machine.renew_key()
                case ["/reset"]:
                    self._machine.reset()
                case [command] if command.startswith("/") and command[1:].replace("-", "").isalpha():
                    self._terminal.remark(voice.UNKNOWN_COMMAND.format(command=command))
                case _:
                    self._answer(line)

    def _resume(self) -> None:
        """Go on where this console left off, and show where that was."""
        self._record.resume()
        unanswered = bool(self._record.path) and self._record.path[-1].role == "user"
        if unanswered:
            self._record.withdraw()
        self._draft = self._record.draft
        for entry in self._record.path:
            self._conversation = self._conversation.adding(entry.role, entry.text)
        last_exchange = self._conversation.messages[1:][-2:]
        if not (last_exchange or self._draft):
            return
        self._terminal.remark(voice.RESUMED)
        columns = self._terminal.status.columns() - len(ANSWER)
        for message in last_exchange:
            label = PROMPT if message.role == "user" else ANSWER
            self._terminal.say(label + last_rows(message.text, rows=_RESUMED_ROWS, columns=columns))
        if unanswered:
            self._terminal.remark(voice.UNANSWERED)

    def _start_afresh(self, remark: str) -> None:
        self._conversation = Conversation()
        self._terminal.forget_lines()
        self._terminal.remark(remark)

    def _forget(self) -> None:
        if not self._record.stores:
            self._terminal.remark(voice.NOTHING_STORED)
            return
        self._terminal.say(voice.FORGET)
        answer = question(self._terminal, self._interrupts, voice.FORGET_PROMPT)
        if answer is None or answer.lower() != "yes":
            self._terminal.remark(voice.NOT_FORGOTTEN)
            return
        try:
            self._record.forget()
        except StoreError as failure:
            self._terminal.remark(str(failure))
        else:
            self._start_afresh(voice.FORGOTTEN)

    def _next_line(self) -> str | None:
        at_end = False
        while True:
            draft, self._draft = self._draft, ""
            try:
                with self._interrupts.armed():
                    return printable(self._terminal.read_line(PROMPT, draft)).strip()
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

    def _answer(self, message: str) -> None:
        asked = self._conversation.adding("user", message)
        self._record.add("user", message)
        if not (self._introduced or self._can_answer()):
            self._give_back(message)
            return
        reply = self._speak(asked)
        while isinstance(full := reply.failure, ContextFullError):
            shorter = asked.shortened(_KEEP * full.n_ctx / max(1, full.n_prompt))
            dropped = len(asked.messages) - len(shorter.messages)
            if not dropped:
                break
            words = "exchange" if dropped <= 2 else f"{(dropped + 1) // 2} exchanges"
            self._terminal.remark(voice.FORGETTING.format(n_prompt=full.n_prompt, n_ctx=full.n_ctx, dropped=words))
            asked = shorter
            reply = self._speak(asked)
        if reply.text:
            self._conversation = asked.adding("assistant", reply.text)
            self._record.add("assistant", reply.text)
        else:
            self._give_back(message)
        self._account_for(reply)

    def _give_back(self, message: str) -> None:
        self._record.withdraw()
        self._draft = message

    def _account_for(self, reply: _Reply) -> None:
        match reply.failure:
            case None:
                if reply.remark:
                    self._terminal.remark(reply.remark)
            case ContextFullError() as full:
                self._terminal.remark(voice.TOO_LONG.format(n_prompt=full.n_prompt, n_ctx=full.n_ctx))
            case failure:
                self._terminal.remark(str(failure))
                self._can_answer()
        self._terminal.say("")

    def _speak(self, asked: Conversation) -> _Reply:
        """Print the answer while it arrives."""
        said: list[str] = []
        remark = ""
        self._interrupts.forget()
        try:
            with (
                self._terminal.quiet(),
                self._terminal.status.ticking() as ticker,
                closing(self._runtime.result().stream_chat(asked.messages)) as events,
            ):
                ticker.say(voice.THINKING)
                for event in self._interrupts.each(events):
                    match event:
                        case Progress():
                            ticker.say(voice.reading(event.percent))
                        case Text(text) if said:
                            said.append(text)
                            self._terminal.say(text, end="")
                        case Text(text) if text := text.lstrip():
                            ticker.stop()
                            said.append(text)
                            self._terminal.say(ANSWER + text, end="")
                        case Done(cut_short=cut_short):
                            remark = voice.CUT_SHORT if cut_short else "" if said else voice.SILENT
        except KeyboardInterrupt:
            remark = voice.STOPPED if said else voice.STOPPED_UNSAID
        except RuntimeFailedError as failure:
            return self._end(said, _Reply("".join(said), failure=failure))
        return self._end(said, _Reply("".join(said), remark))

    def _end(self, said: list[str], reply: _Reply) -> _Reply:
        if said and not reply.text.endswith("\n"):
            self._terminal.say("")
        return reply

    def _can_answer(self) -> bool:
        """Wait until the model can answer. False if the person would rather not, or if waiting cannot help."""
        try:
            with self._interrupts.armed():
                waited_s = self._wait()
        except KeyboardInterrupt:
            return False
        except UnavailableError as failure:
            self._terminal.remark(str(failure))
            return False
        if waited_s >= 1 or not self._introduced:
            self._introduce(waited_s)
        return True

    def _wait(self) -> float:
        """Wait until the model can answer, and show why that takes its time."""
        try:
            with self._terminal.quiet():
                return self._runtime.result().wait_ready(self._show_state)
        finally:
            self._terminal.status.clear()

    def _introduce(self, waited_s: float) -> None:
        self._introduced = True
        model = self._runtime.result().model()
        name = f"My model is {model}, ready" if model else "My model is ready"
        self._terminal.remark(f"{name} after {voice.seconds(waited_s)}." if waited_s >= 1 else f"{name}.")

    def _show_state(self, state: "State", elapsed_s: float) -> None:
        self._terminal.status.show(voice.waiting(state.kind, elapsed_s))
