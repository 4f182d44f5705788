"""The first run: quick to go through, asked once, and never begun anew."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from claudine.commands import Session, first_run
from claudine.facts import look
from claudine.protocol import Text
from claudine.record import Record
from claudine.room import Room
from claudine.runtime import Runtime
from claudine.state import StateService
from claudine.stop import Stop
from claudine.talk import Answer, Ended, Event, Talk
from claudine.voice import settings as voice
from tests.support.fake_state import FakeState
from tests.support.scripted_face import Script, ScriptedFace

ENTER = ""
ESCAPE = None
WELL = Ended(tokens=2, seconds=3.2)


class BriefTalk(Talk):
    """Answers in one word, and ends as a test wants."""

    def __init__(self, face: ScriptedFace, ended: Ended) -> None:
        runtime: Future[Runtime] = Future()
        runtime.set_result(Runtime("/nonexistent"))
        super().__init__(runtime, Record(None, "tty1", face.remark))
        self.sent: list[str] = []
        self.ended = ended

    def send(self, text: str, room: Room | None = None, *, temperature: float | None = None) -> Answer:
        self.sent.append(text)
        return Answer(iter([Text("Paris."), self.ended]), Stop().press)


pytestmark = pytest.mark.usefixtures("lists")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FakeState]:
    with FakeState(tmp_path / "control", recovery_key="confirmed") as service:
        yield service


class Visit:
    """One start of the client: what was shown, what was sent, and the events of the answer."""

    def __init__(
        self,
        tmp_path: Path,
        script: Script,
        *,
        virtual: bool = True,
        asked_for: bool = False,
        ended: Ended = WELL,
    ) -> None:
        self.face = ScriptedFace(script, virtual=virtual)
        self.talk = BriefTalk(self.face, ended)
        session = Session(self.talk, self.face, StateService(str(tmp_path / "control")))
        self.answer = first_run.again(session, "") if asked_for else first_run.begin(session)
        assert self.face.finished()
        self.events: list[Event] = list(self.answer or ())


Start = Callable[..., Visit]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return lambda script=(), **more: Visit(tmp_path, script, **more)


def test_enter_takes_everything_that_is_proposed(start: Start, service: FakeState) -> None:
    visit = start([ENTER, ENTER, ENTER, ENTER, ENTER])
    assert visit.face.asked[0] == voice.KEYBOARD
    # Nothing has to be changed for that, so nobody waits.
    assert service.requests == ["status"]
    assert visit.talk.sent == [voice.TINY_QUESTIONS[0]]


def test_the_experiment_ends_with_what_happened_and_how_to_check_it(start: Start, service: FakeState) -> None:
    visit = start([ESCAPE, ESCAPE, ESCAPE, voice.TINY_QUESTIONS[1]])
    assert visit.events[0] == Text("Paris.")
    [ended] = [event for event in visit.events if isinstance(event, Ended)]
    assert ended.remark.startswith("That was 2 tokens in 3 s, made in this machine.")
    assert f"the kernel says of my network: {look('/nonexistent').line}. /prove shows" in ended.remark


def test_something_of_ones_own_can_be_tried(start: Start, service: FakeState) -> None:
    visit = start([ESCAPE, ESCAPE, ESCAPE, voice.OWN_QUESTION, "Count to three."])
    assert visit.talk.sent == ["Count to three."]
    assert start([], asked_for=False).talk.sent == []


@pytest.mark.parametrize("ended", [Ended(said=False), Ended(remark="I stopped.")])
def test_an_experiment_that_did_not_work_is_not_explained(start: Start, service: FakeState, ended: Ended) -> None:
    visit = start([ESCAPE, ESCAPE, ESCAPE, voice.TINY_QUESTIONS[0]], ended=ended)
    assert visit.events[-1] == ended


def test_what_was_put_off_is_not_asked_again(start: Start, service: FakeState, tmp_path: Path) -> None:
    visit = start([ESCAPE, ESCAPE, ESCAPE, ESCAPE])
    assert visit.answer is None
    assert not (tmp_path / "state" / "settings.json").exists()
    again = start()
    assert again.face.asked == []
    assert again.face.said == ""


def test_a_power_cut_goes_on_where_it_was(start: Start, service: FakeState) -> None:
    def power_cut() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(["German", ENTER, ENTER, power_cut])
    visit = start([ENTER, ENTER, ESCAPE])
    assert visit.face.asked[0] == voice.ZONE


def test_what_the_owner_has_set_already_is_not_asked(start: Start, service: FakeState, tmp_path: Path) -> None:
    (tmp_path / "state" / "settings.json").write_text('{"keyboard": "de", "time_zone": "Europe/Berlin"}')
    visit = start([ENTER, ESCAPE])
    assert visit.face.asked[0].startswith(voice.NAME)


def test_it_can_be_asked_for_again(start: Start, service: FakeState) -> None:
    start([ESCAPE] * 4)
    assert start([ESCAPE] * 4, asked_for=True).face.asked[0] == voice.KEYBOARD


def test_only_the_machine_s_own_screen_has_it(start: Start, service: FakeState) -> None:
    assert start(virtual=False).face.asked == []
    assert service.requests == []


def test_on_a_desk_it_is_not_mentioned(start: Start) -> None:
    assert start().face.said == ""
    assert "Nobody looks after" in start(asked_for=True).face.said


def test_a_service_that_fails_does_not_keep_anybody_from_talking(start: Start, tmp_path: Path) -> None:
    with FakeState(tmp_path / "control", failing="status"):
        assert start().face.said == "The TPM is busy [31mtoday."
    with FakeState(tmp_path / "control", recovery_key="confirmed", failing="apply-settings"):
        visit = start(["German", ENTER, ESCAPE, ESCAPE, ESCAPE])
    assert "The TPM is busy [31mtoday." in visit.face.remarks
    with FakeState(tmp_path / "control", recovery_key="confirmed"):
        assert start([ESCAPE]).face.asked == [voice.KEYBOARD]


def test_the_recovery_key_is_offered_at_each_start_until_somebody_has_it(start: Start, tmp_path: Path) -> None:
    with FakeState(tmp_path / "control") as service:
        start([ESCAPE, ESCAPE, ESCAPE, ESCAPE, ESCAPE])
        assert len(start([ESCAPE]).face.asked) == 1
        service.recovery_key = "confirmed"
        assert start().face.asked == []
