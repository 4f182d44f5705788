"""A person at a screen: the real client in this process, with a runtime that says what a test wants."""

import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.events import Key
from textual.pilot import Pilot

from claudine.answer import Answer
from claudine.commands import Command, Session
from claudine.record import Record
from claudine.runtime import Runtime
from claudine.screen.app import ClaudineApp
from claudine.screen.face import ScreenFace
from claudine.screen.work import Job
from claudine.state import StateService
from claudine.store import Store
from claudine.talk import Talk
from tests.support import fake_runtime
from tests.support.fake_runtime import FakeRuntime

PATIENCE_S = 10.0
FACTS = "LOCAL: only lo, no route, 0 bytes sent"


@dataclass
class Person:
    """Sits at a screen of *app*."""

    app: ClaudineApp
    pilot: Pilot[Any]
    server: FakeRuntime

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.at_once(*({" ": "space", "\n": "ctrl+j"}.get(character, character) for character in text))

    async def at_once(self, *keys: str) -> None:
        """Press *keys* faster than any of them can be obeyed."""
        for key in keys:
            character = " " if key == "space" else key
            self.app.post_message(Key(key, character if len(character) == 1 else None))
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

    script: Sequence[fake_runtime.Answer | fake_runtime.Refuse] = (fake_runtime.Answer(),)
    commands: Sequence[Command] = ()
    stays: bool = False
    size: tuple[int, int] = (80, 25)
    store: Store | None = None
    loads: int = 0
    opening: Callable[[Session], Answer | None] = lambda session: None
    look_closer: Callable[[], str] = str
    # Nobody answers before this is set.
    prepared: threading.Event = field(default_factory=threading.Event)
    begins_prepared: bool = True

    @asynccontextmanager
    async def played(self) -> AsyncIterator[Person]:
        if self.begins_prepared:
            self.prepared.set()
        with tempfile.TemporaryDirectory() as directory:
            socket = Path(directory) / "s"
            app = ClaudineApp(self._preparing(socket), lambda: FACTS, stays=self.stays, virtual=True)
            with FakeRuntime(socket, self.script, loads=self.loads) as server:
                async with app.run_test(size=self.size) as pilot:
                    person = Person(app, pilot, server)
                    if self.begins_prepared:
                        await person.sees("I am ready" if not self.loads else "I am loading my model", FACTS)
                    yield person

    def _preparing(self, socket: Path) -> Callable[[ScreenFace], tuple[Session, Sequence[Command], Job]]:
        def prepare(face: ScreenFace) -> tuple[Session, Sequence[Command], Job]:
            self.prepared.wait()
            runtime: Future[Runtime] = Future()
            runtime.set_result(Runtime(str(socket)))
            talk = Talk(runtime, Record(self.store, "tty1", face.remark), look_closer=self.look_closer)
            talk.resume()
            session = Session(talk, face, StateService("/nonexistent"))
            return session, self.commands, lambda: self.opening(session)

        return prepare
