"""A conversation that goes on, without a user interface.

    talk = Talk(runtime, record)
    for event in talk.send("Where?"):      # nothing is sent before the first step
        match event: ...

Every answer is an iterator that runs in the caller's thread; ``stop()`` ends it from any other thread. What it says is
in the record as it grows, and the last event is always ``Ended``: nothing is raised that belongs to the runtime.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from claudine import prompt, voice
from claudine.answer import Answer, Ended, Event, Full, MakeRoom, Trouble, Usage, Waiting
from claudine.protocol import (
    BrokenAnswerError,
    ContextFullError,
    Done,
    LoadingError,
    OutOfMemoryError,
    Progress,
    RuntimeFailedError,
    Text,
    UnavailableError,
)
from claudine.record import Record
from claudine.reply import Reply
from claudine.room import Room, drop, needed, summarise
from claudine.stop import Stop
from claudine.trace import Trace
from claudine.tree import Entry

if TYPE_CHECKING:
    from claudine.runtime import Engine, Runtime

__all__ = ["Answer", "Ended", "Event", "Full", "MakeRoom", "Talk", "Usage", "Waiting"]

# What is made in another thread is there sooner than anybody could read that it is not.
_GLANCE_S = 0.2
# What is left when room is made before it is needed.
_HALF = 0.5
# A server that is not there for so long may have a reason. To ask costs a slow machine a second or two.
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class _Task:
    """What is to be answered. *again* has it tried once more, *undo* puts the record back if not a word comes.

    *message* is the person's, and what a fresh conversation would begin with; *goes_on* is the answer to continue.
    *temperature* is the one to answer at, if it is not the conversation's.
    """

    message: str
    again: Callable[["Room"], Answer | None]
    undo: Callable[[], None]
    stopped: str = voice.STOPPED_UNSAID
    silent: str = voice.SILENT
    too_long: str = voice.TOO_LONG
    goes_on: Entry | None = None
    temperature: float | None = None


@dataclass(frozen=True)
class _DidNotFit:
    """A task that was too long, and the conversation and message where that was."""

    task: _Task
    full: Full
    place: tuple[str, str | None]


class Talk:
    """One terminal's conversation with the model. One answer at a time; the rest may be used meanwhile.

    *draft* is what was given back; if *unanswered*, it was found without an answer when the conversation was resumed.
    *engine* is what is known of the runtime, once it has been ready; *speed* is that of the last answer, in tokens a
    second.

    *trouble* says why the runtime does not come, or nothing if it may come yet; *look_closer*, called whenever it has
    become ready, what it lacks, in a few words for the status line: *handicap*.
    """

    def __init__(
        self,
        runtime: "Future[Runtime]",
        record: Record,
        *,
        trouble: Callable[[], Trouble | None] = lambda: None,
        look_closer: Callable[[], str] = str,
    ) -> None:
        self.runtime = runtime
        self.record = record
        self._trouble = trouble
        self._look_closer = look_closer
        self.draft = ""
        self.unanswered = False
        self.engine: Engine | None = None
        self.speed: float | None = None
        self.handicap = ""
        self._full: _DidNotFit | None = None

    @property
    def usage(self) -> Usage | None:
        """How full the context was after the answer where we are; None while nobody has counted."""
        traces = [Trace.from_json(entry.trace) for entry in self.record.path[-2:] if entry.role == "assistant"]
        trace = traces[-1] if traces else Trace(prompt_tokens=0, tokens=0)
        size = self.engine.n_ctx if self.engine else trace.n_ctx
        if size is None or trace.prompt_tokens is None or trace.tokens is None:
            return None
        return Usage(trace.prompt_tokens + trace.tokens, size)

    def resume(self) -> bool:
        """Go on where this terminal left off; say whether there was anything."""
        self.record.resume()
        path = self.record.path
        self.unanswered = bool(path) and path[-1].role == "user"
        if self.unanswered:
            self.record.withdraw()
        self.draft = self.record.draft
        return bool(self.record.path or self.draft)

    def wait(self) -> Answer:
        """Wait until the model can answer, without a message: events are ``Waiting``, and ``Ended`` says why not."""
        stop = Stop()
        return Answer(self._only_wait(stop), stop.press)

    def send(self, text: str, room: Room | None = None, *, temperature: float | None = None) -> Answer:
        """Say *text* and have it answered, at another *temperature* than the conversation's if one is given.

        Here as below, *room* is made first, if it has to be.
        """
        self.record.add("user", text)
        again, undo = partial(self.send, text, temperature=temperature), partial(self._give_back, text)
        return self._answer(_Task(text, again, undo, temperature=temperature), room)

    def again(self, room: Room | None = None) -> Answer | None:
        """Have the last message answered anew, beside the answer that it has. None: there is none."""
        path, leaf = self.record.path, self.record.leaf
        if path and path[-1].role == "assistant":
            path = path[:-1]
        if not path or path[-1].role != "user":
            return None
        self.record.go_to(path[-1].id)
        task = _Task(path[-1].text, self.again, partial(self.record.go_to, leaf), stopped=voice.STOPPED)
        return self._answer(task, room)

    def go_on(self, room: Room | None = None) -> Answer | None:
        """Have the last answer continued where it ends. None: there is none."""
        path = self.record.path
        if len(path) < 2 or path[-1].role != "assistant":
            return None
        task = _Task(
            message=next((entry.text for entry in reversed(path) if entry.role == "user"), ""),
            again=self.go_on,
            undo=partial(self.record.go_to, path[-1].id),
            stopped=voice.STOPPED,
            silent=voice.NOTHING_TO_ADD,
            too_long=voice.TOO_LONG_TO_GO_ON,
            goes_on=path[-1],
        )
        return self._answer(task, room)

    def edit(self, id_: str, text: str, room: Room | None = None) -> Answer | None:
        """Put *text* beside the message *id_* and go there; a person's message is answered, Claudine's is not."""
        entry = self.record.tree.by_id[id_]
        self.record.add(entry.role, text, parent=entry.parent)
        if entry.role != "user":
            return None
        # Given back, it stands on the line at the fork: sent as it is, it is the same edit again.
        return self._answer(_Task(text, partial(self.edit, id_, text), partial(self._give_back, text)), room)

    def meet(self, stop: Stop | None = None) -> None:
        """Get to know the model that is ready now, which may be another one than before."""
        self.engine = self.runtime.result().engine(stop)
        self.handicap = self._look_closer()

    def make_room(self, how: MakeRoom) -> Answer | None:
        """After ``Ended.full``: shorten the conversation as asked, and answer the message that did not fit.

        Nothing is deleted: what is left out stays in the record, and is not sent any more. None: there is no such
        message here.
        """
        did_not_fit, self._full = self._full, None
        if did_not_fit is None or did_not_fit.place != (self.record.id, self.record.leaf):
            return None
        task, full = did_not_fit.task, did_not_fit.full
        if how == "fresh":
            self._begin_fresh()
            return self.send(task.message, temperature=task.temperature)
        return task.again(Room(how, needed(full.n_prompt, full.n_ctx), full.n_ctx))

    def shorten(self, how: MakeRoom) -> Answer | None:
        """Make room before it is needed, without a message. None: that is done already."""
        if how == "fresh":
            self._begin_fresh()
            return None
        stop = Stop()
        return Answer(self._only_make_room(how == "summarise", stop), stop.press)

    def count(self, text: str, stop: Stop | None = None) -> int | None:
        """Return how many tokens *text* has; None if the runtime cannot say now, or at *stop*."""
        try:
            runtime = self.runtime.result()
            self.engine = self.engine or runtime.engine(stop)
            return runtime.count(text, stop)
        except RuntimeFailedError:
            return None

    def leave_nothing(self) -> None:
        """Have the runtime forget what it read and said last. One that cannot be reached has nothing left."""
        try:
            if self.runtime.done():
                self.runtime.result().overwrite_slot()
        except RuntimeFailedError:
            return

    def _begin_fresh(self) -> None:
        settings = replace(self.record.settings, cut=None, summary="")
        self.record.begin(private=self.record.private)
        self.record.set_settings(settings)

    def _give_back(self, text: str) -> None:
        self.record.withdraw()
        self.draft = text

    def _answer(self, task: _Task, room: Room | None) -> Answer:
        self.draft, self.unanswered, self._full = "", False, None
        stop = Stop()
        return Answer(self._events(task, room, stop), stop.press)

    def _only_wait(self, stop: Stop) -> Iterator[Event]:
        try:
            yield from self._ready(stop)
        except RuntimeFailedError as failure:
            yield Ended(voice.STOPPED if stop.pressed else str(failure), said=False)
        else:
            yield Ended(said=False)

    def _only_make_room(self, summary: bool, stop: Stop) -> Iterator[Event]:
        before = self.record.settings
        remark = ""
        try:
            yield from self._ready(stop)
            how: Literal["summarise", "drop"] = "summarise" if summary and self.engine else "drop"
            yield from self._make_room(Room(how, _HALF, self.engine.n_ctx if self.engine else 0), stop)
        except RuntimeFailedError as failure:
            remark = voice.STOPPED if stop.pressed else str(failure)
        if self.record.private:
            self.leave_nothing()
        changed = self.record.settings != before
        yield Ended(remark or (voice.ROOM_MADE if changed else voice.NO_ROOM_TO_MAKE), said=False)

    def _make_room(self, room: Room, stop: Stop) -> Iterator[Event]:
        if room.how == "summarise":
            yield from summarise(self.runtime.result(), self.record, room, stop)
        else:
            drop(self.record, room.keep)

    def _events(self, task: _Task, room: Room | None, stop: Stop) -> Iterator[Event]:
        reply = Reply(self.record, task.goes_on)
        failure: RuntimeFailedError | None = None
        try:
            yield from self._attempts(task, reply, room, stop)
        except RuntimeFailedError as error:
            failure = error
        if self.record.private:
            self.leave_nothing()
        ended = self._end(task, reply, stop, failure)
        if failure and not stop.pressed and not ended.full:
            # What comes back may be another model.
            self.engine = None
        yield ended

    def _attempts(self, task: _Task, reply: Reply, room: Room | None, stop: Stop) -> Iterator[Event]:
        """Stream the answer, when the runtime is ready and, if there is to be *room*, when there is enough."""
        if self.engine is None:
            yield from self._ready(stop)
        if room:
            yield from self._make_room(room, stop)
        while True:
            try:
                return (yield from self._stream(task, reply, stop))
            except (UnavailableError, LoadingError) as failure:
                if reply.said or stop.pressed:
                    raise
                yield Waiting("loading" if isinstance(failure, LoadingError) else "absent", "", 0.0)
                stop.sleep(_GLANCE_S)
                yield from self._ready(stop)
            except ContextFullError as full:
                if not (room and drop(self.record, needed(full.n_prompt, full.n_ctx))):
                    raise

    def _ready(self, stop: Stop) -> Iterator[Event]:
        """Wait until the model can answer. Raises UnavailableError when waiting does not help, or when stopped."""
        started_s = time.monotonic()
        while not wait([self.runtime], timeout=_GLANCE_S).done:
            yield Waiting("absent", "", time.monotonic() - started_s)
            if stop.pressed:
                raise UnavailableError(voice.STOPPED)
        runtime = self.runtime.result()
        waited_s = time.monotonic() - started_s
        asked_s = 0.0
        for state, elapsed_s in runtime.until_ready(stop):
            yield Waiting(state.kind, state.detail, waited_s + elapsed_s)
            if state.kind == "absent" and elapsed_s - asked_s >= _PATIENCE_S:
                asked_s = elapsed_s
                if trouble := self._trouble():
                    raise (OutOfMemoryError if trouble.out_of_memory else UnavailableError)(trouble.sentence)
        self.meet(stop)

    def _stream(self, task: _Task, reply: Reply, stop: Stop) -> Iterator[Event]:
        settings = self.record.settings
        messages = prompt.prompt(self.record.path, settings)
        if reply.goes_on:
            # A model goes astray behind a space that it would have put before its next word.
            messages[-1] = replace(messages[-1], text=messages[-1].text.rstrip())
        events = self.runtime.result().stream_chat(
            messages,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature if task.temperature is None else task.temperature,
            seed=settings.seed,
            private=self.record.private,
            stop=stop,
        )
        with closing(events):
            for event in events:
                match event:
                    case Progress():
                        reply.read(event)
                        yield event
                    case Text():
                        if shown := reply.take(event):
                            yield shown
                    case Done():
                        reply.finish(event)
                if stop.pressed:
                    return

    def _end(self, task: _Task, reply: Reply, stop: Stop, failure: RuntimeFailedError | None) -> Ended:
        full = self._measure(failure) if isinstance(failure, ContextFullError) else None
        if reply.said:
            reply.complete(self.engine)
            # A few tokens are over too soon to tell.
            if reply.tokens and reply.tokens > 2 and reply.seconds > 0:
                self.speed = reply.tokens / reply.seconds
        else:
            task.undo()
        if full and full.can_shorten:
            self._full = _DidNotFit(task, full, (self.record.id, self.record.leaf))
        ended = partial(Ended, said=reply.said, full=full, tokens=reply.tokens, seconds=reply.seconds)
        if stop.pressed and reply.done is None:
            return ended(voice.STOPPED if reply.said else task.stopped)
        if full:
            remark = voice.FULL if full.can_shorten else task.too_long
            return ended(remark.format(n_prompt=full.n_prompt, n_ctx=full.n_ctx))
        if failure:
            # A model may have a reason to end in the middle of an answer, too.
            trouble = self._trouble() if isinstance(failure, BrokenAnswerError) else None
            if trouble:
                return ended(f"{failure} {trouble.sentence}", out_of_memory=trouble.out_of_memory)
            return ended(str(failure), out_of_memory=isinstance(failure, OutOfMemoryError))
        if not reply.said:
            return ended(task.silent)
        if not (reply.done and reply.done.cut_short):
            return ended()
        at_the_end = self.engine and reply.used and reply.used >= self.engine.n_ctx - 1
        return ended(voice.CONTEXT_ENDS if at_the_end else voice.CUT_SHORT)

    def _measure(self, failure: ContextFullError) -> Full:
        can_shorten = prompt.cut_after(self.record.path, self.record.settings, 0.0) is not None
        return Full(failure.n_prompt, failure.n_ctx, can_shorten)
