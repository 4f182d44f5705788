"""What is done for the person while Textual draws: one thing at a time, in a thread of its own.

    work = Work(app, session)
    work.begin(lambda: session.talk.send("Where?"))     # False: something else is being done
    work.stop()

A job may return an answer, which is then heard to its end. Whatever goes wrong in a job is one sentence.
"""

import contextlib
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

from claudine import voice
from claudine.answer import Answer, Ended, Event
from claudine.commands import Session
from claudine.commands.chat import choose_room
from claudine.commands.models import offer_shorter
from claudine.face import StoppedError
from claudine.screen.face import FaceGoneError
from claudine.voice import chat as chat_voice

if TYPE_CHECKING:
    from claudine.screen.app import ClaudineApp

Job = Callable[[], Answer | None]


class Work:
    """The work in *session*, shown by *app*."""

    def __init__(self, app: "ClaudineApp", session: Session) -> None:
        self._app = app
        self._session = session
        self._answer: Answer | None = None
        self.busy = False
        self._watching = False

    def begin(self, job: Job) -> bool:
        """Do *job*, unless another is being done."""
        if self.busy:
            return False
        self.busy = True
        Thread(target=self._do, args=(job,), daemon=True).start()
        return True

    def stop(self) -> bool:
        """End the answer that is being made; say whether there was one."""
        if self._answer is None:
            return False
        self._answer.stop()
        return True

    def watch(self) -> None:
        """Show how the runtime is until it is ready."""
        if not self._watching:
            self._watching = True
            Thread(target=self._watch, daemon=True).start()

    def _do(self, job: Job) -> None:
        with contextlib.suppress(FaceGoneError):
            try:
                answer = job()
                while answer is not None:
                    # What a command has said by then is not about what is answered now.
                    self._app.there(self._app.chat.transcript.keep_remarks)
                    answer = self._hear(answer)
            except FaceGoneError:
                raise
            except StoppedError:
                self._session.face.remark(voice.STOPPED_BUSY)
            except Exception as error:
                self._session.face.remark(voice.STUMBLED.format(fault=f"{type(error).__name__}: {error}"))
            finally:
                self._answer = None
                self.busy = False
            self._app.there(self._app.finish)

    def _hear(self, answer: Answer) -> Answer | None:
        """Show *answer* as it is made; return the next one, if it did not fit and the person makes room."""
        self._answer = answer
        event: Event | None = None
        for event in answer:
            self._app.there(self._app.hear, event)
        self._answer = None
        if isinstance(event, Ended) and event.full is not None and event.full.can_shorten:
            return self._make_room()
        if isinstance(event, Ended) and event.out_of_memory:
            offer_shorter(self._session)
        return None

    def _make_room(self) -> Answer | None:
        how = choose_room(self._session, chat_voice.ROOM_ABOUT)
        if how is not None:
            return self._session.talk.make_room(how)
        self._app.there(self._app.give_back)
        return None

    def _watch(self) -> None:
        with contextlib.suppress(FaceGoneError):
            try:
                for event in self._session.talk.wait():
                    self._app.there(self._app.wait, event)
            except FaceGoneError:
                raise
            except Exception as error:
                self._app.there(self._app.say, str(error))
            finally:
                self._watching = False
