"""What happens when: keys, commands and answers on the screen.

Textual's thread draws and takes keys. There is at most one other at work for the person, which runs a command or hears
an answer; a second one looks at the runtime until it is ready, a third at the machine now and then.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from threading import Event as Flag
from threading import Thread, get_ident
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.binding import Binding
from textual.screen import Screen
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.timer import Timer
from textual.widgets import TextArea

from claudine import voice as common
from claudine.commands import called
from claudine.face import Option
from claudine.screen import keys
from claudine.screen.chat import ChatScreen
from claudine.screen.dialogs import ChooseScreen, PageScreen
from claudine.screen.draft import Draft
from claudine.screen.face import FaceGoneError, ScreenFace
from claudine.screen.looks import CONTRAST, QUIET, note_contrast, read_contrast
from claudine.screen.pace import Pace
from claudine.text import printable
from claudine.voice import screen as voice

if TYPE_CHECKING:
    from claudine.answer import Ended, Event
    from claudine.commands import Command, Session
    from claudine.record import Record
    from claudine.screen.work import Job, Work


class _Bar(ScrollBarRender):
    """A scroll bar of whole cells: consoles lack the blocks that Textual ends it with."""

    VERTICAL_BARS = [" "]
    HORIZONTAL_BARS = [" "]


ScrollBar.renderer = _Bar

# Who is at work here, what they can be asked for, and what they do first of all.
Prepare = Callable[[ScreenFace], tuple["Session", Sequence["Command"], "Job"]]

# A word shows soon, and a fast model does not have the screen drawn for each.
_GROW_S = 0.05
_DRAFT_S = 1.0
_LOOK_S = 10.0


class ClaudineApp(App[Exception], inherit_bindings=False):
    """The screen of one terminal. One that *stays* has no place to leave to: an appliance.

    *prepare* is called in a thread of its own once the screen is up, because what it imports is slow to load; *look*
    says in a line what the machine is like now. ``run`` returns what ended the screen, if that was not the person.
    """

    CSS_PATH = "looks.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [Binding("ctrl+t", "contrast")]

    def __init__(
        self, prepare: Prepare, look: Callable[[], str], *, stays: bool, virtual: bool, **options: Any
    ) -> None:
        super().__init__(**options)
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.face = ScreenFace(self, virtual=virtual)
        self.chat = ChatScreen()
        self._awaited: set[Future[Any]] = set()
        self._prepare = prepare
        self._look = look
        self._stays = stays
        self._session: Session | None = None
        self._work: Work | None = None
        self._commands: Sequence[Command] = ()
        # Until what comes first is done; what is sent meanwhile waits.
        self._opening = True
        self._early = ""
        self._growing: Timer | None = None
        self._keeping: Timer | None = None
        # The answer that is being made, in pieces; the record grows more slowly.
        self._said: list[str] = []
        self._pace = Pace()
        self._over = Flag()
        self._drawing = 0

    # The way of the screen: up first, then whoever answers, then the machine's facts.

    def get_default_screen(self) -> Screen[None]:
        return self.chat

    def on_ready(self) -> None:
        self._drawing = get_ident()
        self._loop_of_ours = asyncio.get_running_loop()
        self._context_of_ours = contextvars.copy_context()
        Thread(target=self._attend, daemon=True).start()

    def on_unmount(self) -> None:
        self._over.set()
        for answer in list(self._awaited):
            answer.cancel()
        if self._work is not None:
            self._work.stop()
        self._keep_draft()

    def there(self, call: Callable[..., None], *arguments: object) -> None:
        """Call in Textual's thread, from whichever, and wait until it is done. Raises FaceGoneError."""
        if get_ident() == self._drawing:
            call(*arguments)
            return
        done: Future[None] = Future()

        def do() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                call(*arguments)
            except Exception as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        # Not with Textual's ``call_from_thread``: at the end of the screen, that leaves a coroutine behind.
        with self.answered_or_gone(done):
            try:
                self._loop_of_ours.call_soon_threadsafe(do, context=self._context_of_ours)
            except RuntimeError as error:
                raise FaceGoneError from error
            done.result()

    @contextlib.contextmanager
    def answered_or_gone(self, answer: "Future[Any]") -> Iterator[None]:
        """While the block waits for *answer*, have the end of the screen raise FaceGoneError there."""
        self._awaited.add(answer)
        try:
            if self._over.is_set():
                raise FaceGoneError
            yield
        except CancelledError as error:
            raise FaceGoneError from error
        finally:
            self._awaited.discard(answer)

    def _attend(self) -> None:
        """Get hold of whoever answers, and then look at the machine now and then."""
        with contextlib.suppress(FaceGoneError):
            try:
                if read_contrast():
                    self.there(self._contrast, True)
                session, commands, opening = self._prepare(self.face)
                from claudine.screen.markdown import rows
                from claudine.screen.work import Work

                self.chat.transcript.markdown = rows
                self.there(self._begin, session, commands, Work(self, session), opening)
                while not self._over.is_set():
                    self.there(self.chat.show_facts, self._look())
                    self._over.wait(_LOOK_S)
            except FaceGoneError:
                raise
            except Exception as error:
                self.there(self.exit, error)

    def _begin(self, session: "Session", commands: Sequence["Command"], work: "Work", opening: "Job") -> None:
        self._session, self._commands, self._work = session, commands, work
        keys.bind(self.chat, commands)
        self.chat.keys.show(keys.footer(commands))
        self.show_conversation()
        if not self.chat.draft.text:
            self.chat.draft.put(session.talk.draft or session.talk.record.draft)
        self._do(opening)

    # What is shown. Called in Textual's thread.

    def remark(self, sentence: str) -> None:
        """Say something beside the conversation."""
        self.chat.transcript.remark(sentence)

    def say(self, text: str) -> None:
        """Say what goes on, unless an answer has the state line."""
        if self._work is None or not self._work.busy:
            self.chat.state.say(text)

    def count(self, text: str) -> None:
        """Say what a command waits for."""
        self.chat.state.count(text)

    def stop_counting(self) -> None:
        """Say that a command waits for nothing any more; it may have questions yet."""
        self.chat.state.say("")

    def wait(self, event: "Event") -> None:
        """Say what the runtime waits for, and in the end that it is ready, or why not."""
        from claudine.answer import Ended, Waiting

        match event:
            case Waiting(kind, _, elapsed_s):
                self.say(common.waiting(kind, elapsed_s))
            case Ended(remark) if remark:
                self.say(remark)
            case Ended():
                self.rest()

    def rest(self) -> None:
        """Say that nothing goes on, and that the model is ready if that is known."""
        talk = self._session.talk if self._session else None
        if talk is None or talk.engine is None:
            self.say(voice.WAKING)
            if self._work is not None:
                self._work.watch()
            return
        speed = voice.speed(talk.speed) if talk.speed else ""
        self.say(" · ".join(filter(None, [voice.READY, talk.handicap, speed])))
        usage = talk.usage
        self.chat.state.show(right=voice.fill(usage.used, usage.size) if usage and usage.used else "")

    def finish(self) -> None:
        """Take note that a command or an answer is over."""
        if self._session is not None:
            self.chat.recall(self._session.talk.record)
            self.chat.show_title(self._session.talk.record)
        self.rest()
        self._opening = False
        early, self._early = self._early, ""
        if early:
            self._take(early)

    def show_conversation(self) -> None:
        """Show where we are."""
        if self._session is not None:
            self.chat.show(self._session.talk.record)
            self.rest()

    def hear(self, event: "Event") -> None:
        """Show what an answer has come to."""
        from claudine.answer import Ended, Waiting
        from claudine.protocol import Progress, Text

        match event:
            case Waiting(kind, _, elapsed_s):
                self.chat.state.say(common.waiting(kind, elapsed_s))
            case Progress():
                self.chat.state.count(common.reading(event.percent))
            case Text(text, tokens):
                self._pace.note(tokens)
                # The first piece of a continued answer follows what was there before.
                self._said.append(text if self._said else self._record.path[-1].text)
                if self._growing is None:
                    self._growing = self.set_timer(_GROW_S, self._grow)
            case Ended():
                self._end(event)

    def _grow(self) -> None:
        self._growing = None
        self.chat.grow(self._record, "".join(self._said))
        self.chat.state.say(self._pace.words or common.THINKING)

    def _end(self, ended: "Ended") -> None:
        if self._growing is not None:
            self._growing.stop()
            self._growing = None
        self._said = []
        self.chat.show(self._record)
        # One that does not fit is given back when no room is made for it.
        if not (ended.said or (ended.full and ended.full.can_shorten)):
            self.give_back()
        if ended.remark:
            self.remark(ended.remark)
            if self._work is not None:
                self._work.watch()

    @property
    def _record(self) -> "Record":
        assert self._session is not None
        return self._session.talk.record

    def give_back(self) -> None:
        """Let the message that got no answer stand on the line again."""
        if self._session is not None:
            self.chat.draft.give_back(self._session.talk.draft)

    # What the person does.

    def on_draft_sent(self, event: Draft.Sent) -> None:
        text = printable(event.text)
        waits = self._opening and not self._early
        if not waits and (self._work is None or self._work.busy):
            self.remark(voice.ONE_WAITS if self._early else voice.IMPATIENT)
            self.chat.draft.give_back(event.text)
            return
        self.chat.draft.remember(text)
        if waits:
            self._early = text
            self.chat.show_sent(self._session.talk.record if self._session else None, text)
        else:
            self._take(text)

    def _take(self, text: str) -> None:
        assert self._session is not None
        talk = self._session.talk
        match called(text):
            case None:
                self.chat.show_sent(talk.record, text)
                self._do(lambda: talk.send(text), common.THINKING)
            case name, argument:
                if command := next((command for command in self._commands if command.name == name), None):
                    self._run(command, argument)
                else:
                    self.remark(common.UNKNOWN_COMMAND.format(command=f"/{name}"))

    def _run(self, command: "Command", argument: str = "") -> None:
        session = self._session
        if command.name == "help":
            self.push_screen(PageScreen(voice.HELP_TITLE, keys.page(self._commands, stays=self._stays)))
        elif session is not None:
            self._do(lambda: command.run(session, argument))

    def _do(self, job: "Job", text: str = "") -> None:
        if self._work is None or not self._work.begin(job):
            self.remark(voice.IMPATIENT_COMMAND)
            return
        self.chat.transcript.keep_remarks()
        if text:
            self._pace = Pace()
            self.chat.state.count(text)

    def action_command(self, name: str) -> None:
        """Run the command that a key stands for."""
        for command in self._commands:
            if command.name == name:
                self._run(command)

    def action_menu(self) -> None:
        """Let a command be chosen among all."""

        def run(chosen: int | None) -> None:
            if chosen is not None:
                self._run(self._commands[chosen])

        options = [Option(command.title, f"/{command.name}", keys.shown(command.key)) for command in self._commands]
        self.push_screen(ChooseScreen(voice.MENU, options, "", 0), run)

    def action_stop(self, clear: bool = False) -> None:
        """Stop what goes on; else, with *clear*, put away what is written. Up brings it back."""
        if not (self.face.stop() or (self._work is not None and self._work.stop())) and clear:
            self.chat.draft.remember(self.chat.draft.text)
            self.chat.draft.put("")

    def action_leave(self) -> None:
        """Leave, if nothing is written and there is a place to leave to."""
        if self.chat.draft.text:
            self.chat.draft.action_delete_right()
        elif self._stays:
            self.remark(common.NOWHERE_TO_GO)
        else:
            self.exit()

    def action_contrast(self) -> None:
        """Change between the quiet colours and high contrast."""
        on = not self.has_class("contrast")
        self._contrast(on)
        # In a thread of its own, as the draft.
        Thread(target=note_contrast, args=(on,), daemon=True).start()

    def _contrast(self, on: bool) -> None:
        self.set_class(on, "contrast")
        self.chat.transcript.looks = CONTRAST if on else QUIET
        self.chat.transcript.redraw()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if event.text_area is self.chat.draft:
            if self._keeping is not None:
                self._keeping.stop()
            # In a thread of its own: a disk may be slow, and whoever types must not notice.
            self._keeping = self.set_timer(_DRAFT_S, lambda: Thread(target=self._keep_draft, daemon=True).start())

    def _keep_draft(self) -> None:
        if self._session is not None:
            with contextlib.suppress(FaceGoneError):
                self._session.talk.record.keep_draft(self.chat.draft.text)

    def _set_pointer_shape(self, shape: str) -> None:
        # There is no pointer, and a console might show what is sent for one.
        return

    def _fatal_error(self) -> None:
        # Textual's own would show a traceback. Whoever called ``run`` says one sentence instead.
        self._return_value = self._exception
        self._close_messages_no_wait()
