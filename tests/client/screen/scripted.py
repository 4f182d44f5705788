"""A person at the screen, and a talk that says what a test wants."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from textual.events import Key
from textual.pilot import Pilot

from claudine.commands import Command, Session
from claudine.protocol import Text
from claudine.record import Record
from claudine.screen.app import ClaudineApp
from claudine.screen.face import ScreenFace
from claudine.screen.work import Job
from claudine.state import StateService
from claudine.store import Store
from claudine.talk import Answer, Ended, Event, Full, MakeRoom, Talk, Usage, Waiting

PATIENCE_S = 10.0
FACTS = "LOCAL: only lo, no route, 0 bytes sent"


@dataclass(frozen=True)
class Said:
    """Say *pieces*, wait for *go* before the last one, and end with *remark*; or not fit, as *full* says."""

    pieces: Sequence[str] = ("Paris.",)
    waits: Sequence[Event] = ()
    go: threading.Event | None = None
    remark: str = ""
    full: Full | None = None


class ScriptedTalk(Talk):
    """Answers with the next of *script* each time; when that is at its end, with the last one again."""

    def __init__(self, record: Record, script: Sequence[Said], loads: int) -> None:
        super().__init__(Future(), record)
        self._loads = loads
        self.asked: list[str] = []
        self.rooms: list[str] = []
        self._script = list(script)

    def resume(self) -> bool:
        return self.record.resume()

    def wait(self) -> Answer:
        return _Stoppable(iter([*(Waiting("loading", "", float(n)) for n in range(self._loads)), Ended(said=False)]))

    def send(self, text: str) -> Answer:
        return self._answer(text)

    def make_room(self, how: MakeRoom) -> Answer | None:
        self.rooms.append(how)
        return self._answer(self.draft)

    def _answer(self, text: str) -> Answer:
        said = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        stopped = threading.Event()
        return _Stoppable(self._events(text, said, stopped), stopped)

    def _events(self, text: str, said: Said, stopped: threading.Event) -> Iterator[Event]:
        self.asked.append(text)
        self.record.add("user", text)
        yield from said.waits
        if said.full is not None or not said.pieces:
            self.record.withdraw()
            self.draft = text
            yield Ended(remark=said.remark, said=False, full=said.full)
            return
        grown = ""
        for number, piece in enumerate(said.pieces, start=1):
            if said.go is not None and number == len(said.pieces):
                while not (said.go.wait(0.01) or stopped.is_set()):
                    pass
            if stopped.is_set():
                break
            if not grown:
                self.record.add("assistant", "")
            grown += piece
            self.record.extend(grown)
            yield Text(piece, number)
        self.record.complete()
        self.usage = Usage(812, 2048)
        yield Ended("I stopped." if stopped.is_set() else said.remark, tokens=len(said.pieces), seconds=0.1)


class _Stoppable(Answer):
    def __init__(self, events: Iterator[Event], stopped: threading.Event | None = None) -> None:
        self._script, self._stopped_by_person = events, stopped or threading.Event()

    def __iter__(self) -> Iterator[Event]:
        return self._script

    def stop(self) -> None:
        self._stopped_by_person.set()


@dataclass
class Person:
    """Sits at a screen of *app*."""

    app: ClaudineApp
    pilot: Pilot[Any]
    talk: ScriptedTalk

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        for character in text:
            key = {" ": "space", "\n": "ctrl+j"}.get(character, character)
            self.app.post_message(Key(key, character))
        await self.pilot.pause()

    async def send(self, text: str) -> None:
        self.app.chat.draft.put(text)
        await self.press("enter")

    async def sees(self, *words: str) -> None:
        """Wait until all of *words* are on the screen."""
        await self.until(lambda: all(word in self.screen for word in words), f"{words} in {self.screen}")

    async def until(self, condition: Callable[[], bool], what: str = "that") -> None:
        for _ in range(int(PATIENCE_S / 0.01)):
            if condition():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"waited in vain for {what}\n{self.screen}")

    @property
    def rows(self) -> list[str]:
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def screen(self) -> str:
        return "\n".join(row.rstrip() for row in self.rows)


@dataclass
class Scene:
    """What a test begins with."""

    script: Sequence[Said] = (Said(),)
    commands: Sequence[Command] = ()
    stays: bool = False
    size: tuple[int, int] = (80, 25)
    store: Store | None = None
    loads: int = 0
    opening: Callable[[Session], Answer | None] = lambda session: None
    # Nobody answers before this is set.
    prepared: threading.Event = field(default_factory=threading.Event)
    begins_prepared: bool = True

    @asynccontextmanager
    async def played(self):  # type: ignore[no-untyped-def]
        talks: list[ScriptedTalk] = []

        def prepare(face: ScreenFace) -> tuple[Session, Sequence[Command], Job]:
            self.prepared.wait()
            record = Record(self.store, "tty1", face.remark)
            talk = ScriptedTalk(record, self.script, self.loads)
            talk.resume()
            talks.append(talk)
            session = Session(talk, face, StateService("/nonexistent"))
            return session, self.commands, lambda: self.opening(session)

        if self.begins_prepared:
            self.prepared.set()
        app = ClaudineApp(prepare, lambda: FACTS, stays=self.stays, virtual=True)
        async with app.run_test(size=self.size) as pilot:
            person = Person(app, pilot, cast(ScriptedTalk, None))
            if self.begins_prepared:
                await person.sees("I am ready", FACTS)
                person.talk = talks[0]
            yield person
