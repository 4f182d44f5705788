"""A conversation without a user interface: what is sent, what is kept, and what is told when something goes wrong."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

import pytest

from claudine import voice
from claudine.conversation import ChatSettings
from claudine.protocol import Progress, Text
from claudine.record import Record
from claudine.runtime import Runtime
from claudine.store import Store
from claudine.talk import Answer as Spoken
from claudine.talk import Ended, Event, MakeRoom, Talk, Usage, Waiting
from claudine.trace import Trace
from tests.support.fake_runtime import BUILD, MODEL, Answer, FakeRuntime, Refuse, overflow

HANGS = Answer([], "hang")


def talk_at(socket: Path, store: Path | None = None) -> Talk:
    runtime: Future[Runtime] = Future()
    runtime.set_result(Runtime(str(socket)))
    return Talk(runtime, Record(Store(str(store)) if store else None, "tty1", print))


@pytest.fixture
def talk(socket: Path) -> Talk:
    return talk_at(socket)


def hear(answer: Spoken | None) -> Ended:
    assert answer is not None
    *_, last = answer
    assert isinstance(last, Ended)
    return last


def said(talk: Talk) -> list[str]:
    return [entry.text for entry in talk.record.path]


def test_an_answer_is_streamed_kept_and_counted(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [Answer([" ", "\n", " Par", "is."], progress=[(2, 7), (7, 7)])]):
        events = list(talk.send("Where?"))
    assert events[:2] == [Progress(2, 7, 0), Progress(7, 7, 0)]
    assert [event.text for event in events if isinstance(event, Text)] == ["Par", "is."]
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert (ended.remark, ended.said, ended.tokens) == ("", True, 4)
    assert said(talk) == ["Where?", "Paris."]
    assert talk.usage == Usage(7 + 4, 512)
    trace = json.loads(talk.record.path[-1].trace)
    assert trace.pop("seconds") < 10
    assert trace == {"model": MODEL.rpartition("/")[2], "build": BUILD, "prompt_tokens": 7, "tokens": 4, "n_ctx": 512}


def test_nothing_is_sent_before_the_first_step(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket) as server:
        answer = talk.send("Where?")
        assert said(talk) == ["Where?"]
        assert server.requests == []
        hear(answer)
        assert len(server.requests) == 1


def test_the_settings_and_the_persona_go_with_each_message(socket: Path, talk: Talk) -> None:
    talk.record.set_settings(ChatSettings("Be brief.", 0.9, 33, 7))
    with FakeRuntime(socket) as server:
        hear(talk.send("Where?"))
    (request,) = server.requests
    assert (request["temperature"], request["max_tokens"], request["seed"]) == (0.9, 33, 7)
    assert request["messages"][0] == {"role": "system", "content": "Be brief."}
    assert request["cache_prompt"] is True
    assert server.overwritten == []


def test_of_a_private_conversation_nothing_is_left_in_the_server(socket: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    talk = talk_at(socket, store)
    talk.record.begin(private=True)
    with FakeRuntime(socket, [Answer(), Answer(["Half "], "close")]) as server:
        hear(talk.send("My secret is marmalade."))
        hear(talk.send("Marmalade?"))
    assert [(request["cache_prompt"], request["id_slot"]) for request in server.requests] == [(False, 0)] * 2
    wanted = {"prompt": "\n", "n_predict": 0, "cache_prompt": False, "id_slot": 0}
    assert server.overwritten == [wanted, wanted]
    assert not [path for path in store.iterdir() if b"armalade" in path.read_bytes()]


def test_again_is_another_answer_beside_the_first(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [Answer(["A1"]), Answer(["A2"])]) as server:
        assert talk.again() is None
        hear(talk.send("Q"))
        hear(talk.again())
    assert server.texts(1) == ["Q"]
    assert said(talk) == ["Q", "A2"]
    assert [entry.text for entry in talk.record.tree.siblings(talk.record.path[-1])] == ["A1", "A2"]


def test_an_answer_that_is_not_given_anew_leaves_the_old_one(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [Answer(["A1"]), Answer([], "close")]):
        hear(talk.send("Q"))
        ended = hear(talk.again())
    assert (ended.said, ended.remark) == (False, voice.RUNTIME_BROKE_OFF)
    assert said(talk) == ["Q", "A1"]
    assert talk.draft == ""


def test_an_answer_that_was_cut_short_goes_on_where_it_ended(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [Answer(["One, ", "two, "], "length"), Answer([" three", "."])]) as server:
        assert talk.go_on() is None
        assert hear(talk.send("Count.")).remark == voice.CUT_SHORT
        hear(talk.go_on())
    # Without the space at its end, behind which a model goes astray.
    assert server.texts(1) == ["Count.", "One, two,"]
    assert said(talk) == ["Count.", "One, two, three."]
    assert len(talk.record.tree.entries) == 2
    trace = Trace.from_json(talk.record.path[-1].trace)
    assert (trace.prompt_tokens, trace.tokens) == (7, 2)


def test_an_answer_that_others_follow_is_continued_in_a_copy(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [Answer(["A1"]), Answer(["A2"]), Answer([" and on"])]):
        hear(talk.send("Q1"))
        first = talk.record.leaf
        hear(talk.send("Q2"))
        talk.record.go_to(first)
        hear(talk.go_on())
    assert said(talk) == ["Q1", "A1 and on"]
    assert talk.record.tree.by_id[str(first)].text == "A1"


def test_an_answer_with_nothing_to_add_stays_as_it_is(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [Answer(["A1"]), Answer(["\n"])]):
        hear(talk.send("Q1"))
        ended = hear(talk.go_on())
    assert (ended.said, ended.remark) == (False, voice.NOTHING_TO_ADD)
    assert said(talk) == ["Q1", "A1"]


def test_an_edited_message_is_answered_beside_the_old_one(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [Answer(["A1"]), Answer(["A2"])]) as server:
        hear(talk.send("Q1"))
        hear(talk.edit(talk.record.path[0].id, "Q1, better"))
    assert server.texts(1) == ["Q1, better"]
    assert said(talk) == ["Q1, better", "A2"]
    assert [entry.text for entry in talk.record.tree.siblings(talk.record.path[0])] == ["Q1", "Q1, better"]


def test_an_edited_answer_is_not_answered_and_has_no_receipt(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket) as server:
        hear(talk.send("Q1"))
        assert talk.edit(talk.record.path[1].id, "Rome.") is None
        assert said(talk) == ["Q1", "Rome."]
        assert talk.record.path[-1].trace == ""
        hear(talk.send("Q2"))
    assert server.texts(1) == ["Q1", "Rome.", "Q2"]


@pytest.mark.parametrize(
    "answer", [Answer([], "close"), Answer(["", " \n"]), Refuse(500, b"?"), Answer([], "malformed")]
)
def test_a_message_without_an_answer_is_given_back(socket: Path, talk: Talk, answer: Answer | Refuse) -> None:
    with FakeRuntime(socket, [Answer(["A1"]), answer]):
        hear(talk.send("Q1"))
        ended = hear(talk.send("Q2"))
    assert not ended.said
    assert ended.remark
    assert talk.draft == "Q2"
    assert said(talk) == ["Q1", "A1"]


def test_half_an_answer_is_kept_and_the_next_message_waits_for_the_runtime(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [Answer(["Half "], "close")]):
        ended = hear(talk.send("Q1"))
    assert (ended.said, ended.remark) == (True, voice.RUNTIME_BROKE_OFF)
    assert said(talk) == ["Q1", "Half "]
    events: list[Event] = []
    with ExitStack() as stack:
        for event in talk.send("Q2"):
            events.append(event)
            if len(events) == 1:
                stack.enter_context(FakeRuntime(socket, [Answer(["A2"])], loads=1))
    kinds = [event.kind for event in events if isinstance(event, Waiting)]
    assert (kinds[0], kinds[-1]) == ("absent", "loading")
    assert said(talk) == ["Q1", "Half ", "Q2", "A2"]


def test_a_runtime_that_refuses_because_it_loads_is_waited_for(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [Answer(["A1"]), Refuse(503, b'{"error":{"code":503}}'), Answer(["A2"])]):
        hear(talk.send("Q1"))
        events = list(talk.send("Q2"))
    assert isinstance(events[0], Waiting)
    assert said(talk) == ["Q1", "A1", "Q2", "A2"]


def test_a_socket_that_cannot_be_used_is_one_sentence(socket: Path, talk: Talk) -> None:
    socket.symlink_to(socket)
    ended = hear(talk.send("Q1"))
    assert ended.remark.startswith("I cannot use my runtime: ")
    assert talk.draft == "Q1"
    assert hear(talk.wait()).remark.startswith("I cannot use my runtime: ")


def test_waiting_without_a_message_ends_when_the_model_can_answer(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, loads=1):
        *waiting, ended = talk.wait()
    assert [event.kind for event in waiting if isinstance(event, Waiting)] == ["loading"]
    assert ended == Ended(said=False)
    assert talk.engine is not None
    assert talk.engine.n_ctx == 512


@pytest.mark.parametrize("answer", [HANGS, Answer(["One, "], "hang"), Answer(["One, "], hold_s=30)])
@pytest.mark.parametrize("how", ["thread", "signal"])
def test_an_answer_stops_at_once_whatever_it_waits_for(socket: Path, talk: Talk, answer: Answer, how: str) -> None:
    with FakeRuntime(socket, [answer]) as server:
        spoken = talk.send("Count.")
        before = signal.signal(signal.SIGUSR1, lambda *_: spoken.stop())

        def stop() -> None:
            assert server.asked.wait(5)
            time.sleep(0.05)
            if how == "thread":
                spoken.stop()
            else:
                os.kill(os.getpid(), signal.SIGUSR1)

        stopper = threading.Thread(target=stop)
        stopper.start()
        started_s = time.monotonic()
        ended = hear(spoken)
        assert time.monotonic() - started_s < 5
        stopper.join()
        signal.signal(signal.SIGUSR1, before)
        if answer.ending == "hang":
            assert server.client_left.wait(5)
    assert ended.remark == (voice.STOPPED if ended.said else voice.STOPPED_UNSAID)
    assert said(talk) == (["Count.", "One, "] if ended.said else [])
    assert talk.draft == ("" if ended.said else "Count.")


def test_waiting_for_the_runtime_stops_too(socket: Path, talk: Talk) -> None:
    for answer in (talk.send("Where?"), talk.wait()):
        events = iter(answer)
        assert isinstance(next(events), Waiting)
        threading.Timer(0.05, answer.stop).start()
        assert isinstance(list(events)[-1], Ended)
    assert said(talk) == []


def test_stopped_before_it_begins_it_sends_nothing(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket) as server:
        answer = talk.send("Where?")
        answer.stop()
        assert hear(answer).remark == voice.STOPPED_UNSAID
    assert server.requests == []


def test_a_message_that_is_too_long_by_itself_cannot_be_shortened(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [overflow(900, 512)]):
        ended = hear(talk.send("Q1"))
    assert ended.full is not None
    assert (ended.full.n_prompt, ended.full.n_ctx, ended.full.can_shorten) == (900, 512, False)
    assert talk.draft == "Q1"


@pytest.fixture
def filled(socket: Path, talk: Talk) -> Iterator[FakeRuntime]:
    script: list[Answer | Refuse] = [Answer(["A1"]), Answer(["A2"]), overflow(600, 512)]
    with FakeRuntime(socket, script) as server:
        hear(talk.send("Q1"))
        hear(talk.send("Q2"))
        ended = hear(talk.send("Q3"))
        assert ended.full is not None
        assert ended.full.can_shorten
        assert ended.remark == voice.FULL.format(n_prompt=600, n_ctx=512)
        assert (said(talk), talk.draft) == (["Q1", "A1", "Q2", "A2"], "Q3")
        yield server


def test_the_oldest_can_be_left_out_again_and_again_and_nothing_is_deleted(talk: Talk, filled: FakeRuntime) -> None:
    filled.then(overflow(550, 512), Answer(["A3"]), Answer(["A4"]))
    assert hear(talk.make_room("drop")).said
    assert filled.texts(3) == ["Q2", "A2", "Q3"]
    assert filled.texts(4) == ["Q3"]
    assert said(talk) == ["Q1", "A1", "Q2", "A2", "Q3", "A3"]
    hear(talk.send("Q4"))
    assert filled.texts(5) == ["Q3", "A3", "Q4"]


def test_what_is_left_out_can_be_summed_up(talk: Talk, filled: FakeRuntime) -> None:
    filled.then(Answer(["We met ", "in Paris. "]), Answer(["A3"]), Answer(["A4"]))
    answer = talk.make_room("summarise")
    assert answer is not None
    kinds = [event.kind for event in answer if isinstance(event, Waiting)]
    assert set(kinds) == {"summary"}
    assert "User: Q1\n\nAssistant: A1" in filled.texts(3)[0]
    assert talk.record.settings.summary == "We met in Paris."
    assert filled.texts(4) == ["Q3"]
    assert filled.requests[4]["messages"][0]["content"].endswith("We met in Paris.")
    assert said(talk)[-2:] == ["Q3", "A3"]


def test_a_summary_that_is_stopped_changes_nothing(talk: Talk, filled: FakeRuntime) -> None:
    filled.then(HANGS)
    answer = talk.make_room("summarise")
    assert answer is not None
    events: list[Event] = []
    for event in answer:
        events.append(event)
        answer.stop()
    assert events[-1] == Ended(voice.STOPPED_UNSAID, said=False)
    assert talk.record.settings == ChatSettings()
    assert (said(talk), talk.draft) == (["Q1", "A1", "Q2", "A2"], "Q3")


def test_a_fresh_conversation_begins_with_the_message_that_did_not_fit(talk: Talk, filled: FakeRuntime) -> None:
    before = talk.record.id
    talk.record.set_settings(ChatSettings(persona="Be brief.", cut="x", summary="y"))
    filled.then(Answer(["A3"]))
    hear(talk.make_room("fresh"))
    assert talk.record.id != before
    assert said(talk) == ["Q3", "A3"]
    assert talk.record.settings == ChatSettings(persona="Be brief.")


@pytest.mark.parametrize("how", ["drop", "fresh"])
def test_a_message_that_did_not_fit_keeps_its_temperature(how: MakeRoom, talk: Talk, filled: FakeRuntime) -> None:
    filled.then(overflow(600, 512), Answer(["A3"]), Answer(["A4"]))
    assert hear(talk.send("Q3", temperature=0.0)).full
    hear(talk.make_room(how))
    hear(talk.send("Q4"))
    used = [request["temperature"] for request in filled.requests[-3:]]
    assert used == [0.0, 0.0, ChatSettings().temperature]


def test_there_is_nothing_to_make_room_for_when_the_person_has_gone_elsewhere(talk: Talk, filled: FakeRuntime) -> None:
    talk.record.begin()
    assert talk.make_room("drop") is None
    assert said(talk) == []


def test_room_can_be_made_before_it_is_needed(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [Answer(["A1"]), Answer(["A2"]), Answer(["A3"]), Answer(["We met."])]) as server:
        hear(talk.send("Q1"))
        assert talk.make_room("drop") is None
        assert hear(talk.shorten("drop")).remark == voice.NO_ROOM_TO_MAKE
        hear(talk.send("Q2"))
        assert hear(talk.shorten("drop")).remark == voice.ROOM_MADE
        hear(talk.send("Q3"))
        assert server.texts(2) == ["Q2", "A2", "Q3"]
        assert hear(talk.shorten("summarise")).remark == voice.ROOM_MADE
        assert talk.record.settings.summary == "We met."
        assert talk.shorten("fresh") is None
        assert said(talk) == []


def test_an_answer_that_fills_the_context_says_so(socket: Path, talk: Talk) -> None:
    with FakeRuntime(socket, [Answer(["on and on"], "length")], n_ctx=8):
        assert hear(talk.send("Q1")).remark == voice.CONTEXT_ENDS
    assert talk.usage == Usage(8, 8)


def test_it_goes_on_after_a_restart_with_the_context_as_full_as_it_was(socket: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    with FakeRuntime(socket):
        hear(talk_at(socket, store).send("Q1"))
    talk = talk_at(socket, store)
    assert talk.usage is None
    assert talk.resume()
    assert talk.usage == Usage(8, 512)
    assert (talk.draft, talk.unanswered) == ("", False)
    talk.record.add("user", "Q2")
    talk = talk_at(socket, store)
    assert talk.resume()
    assert (talk.draft, talk.unanswered) == ("Q2", True)


def test_the_tokens_of_a_text_are_counted_by_the_server(socket: Path, talk: Talk) -> None:
    assert talk.count("three little words") is None
    with FakeRuntime(socket):
        assert talk.count("three little words") == 3
        assert talk.usage == Usage(0, 512)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "[" * 100_000, '{"tokens": true, "model": 3, "seconds": "x"}'])
def test_a_trace_that_makes_no_sense_is_none(text: str) -> None:
    assert Trace.from_json(text) == Trace()
