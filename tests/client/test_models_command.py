"""Which model answers: what the person is offered, what is asked of the service, and what is said of trouble."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from claudine.answer import Ended
from claudine.commands import Session
from claudine.commands.models import COMMANDS, offer_shorter
from claudine.face import StoppedError
from claudine.models import ModelsService
from claudine.record import Record
from claudine.runtime import Runtime
from claudine.state import StateError, StateService
from claudine.stop import Stop
from claudine.talk import Talk
from claudine.voice import models as voice
from tests.support.fake_models import RUNTIME, FakeModels, shelf
from tests.support.fake_runtime import Answer, FakeRuntime
from tests.support.fake_state import FakeState
from tests.support.scripted_face import ScriptedFace

OTHER = {"id": "other_2", "title": "Other Model", "licence": "MIT", "place": "disk", "in_use": False}
DONE = {"done": True}


@pytest.fixture
def models(tmp_path: Path) -> Iterator[FakeModels]:
    with FakeModels(tmp_path / "claudine-models/control.sock") as service:
        yield service


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def session(tmp_path: Path, socket: Path, stick: Path) -> "Iterator[MakeSession]":
    control = tmp_path / "claudine-state/control.sock"
    control.parent.mkdir()
    with FakeState(control, stick=stick), FakeRuntime(socket):

        def make(face: ScriptedFace) -> Session:
            runtime: Future[Runtime] = Future()
            runtime.set_result(Runtime(str(socket)))
            return Session(Talk(runtime, Record(None, "tty1", face.remark)), face, StateService(str(control)))

        yield make


@pytest.fixture
def run(session: "MakeSession") -> "Run":
    def run(face: ScriptedFace) -> Session:
        made = session(face)
        [command] = COMMANDS
        assert command.run(made, "") is None
        return made

    return run


MakeSession = Callable[[ScriptedFace], Session]
Run = Callable[[ScriptedFace], Session]


def test_each_model_is_listed_with_what_there_is_to_know(models: FakeModels, run: Run) -> None:
    big = OTHER | {"id": "big_1", "title": "Big", "fits": False, "memory_bytes": 9 * 10**9}
    models.answers["models"] = [shelf({}, OTHER, big, OTHER | {"id": "bad_1", "title": "", "problem": "foreign"})]
    face = ScriptedFace([None])
    run(face)
    [options] = face.offered
    assert [option.title for option in options] == ["Tiny Model", "Other Model", "Big", "bad_1", voice.ADD[0]]
    assert options[0].note == "in use, part of the image, needs 200 MB, 98 MB, Apache-2.0"
    assert options[1].note == "needs 200 MB, 98 MB, MIT"
    assert "needs 9.0 GB, which is too much here" in options[2].note
    assert "not with a key of this machine's owner" in options[3].note
    assert "1.0 GB of this machine's memory" in face.about


def test_another_is_used_and_its_size_known(models: FakeModels, run: Run) -> None:
    models.answers["models"] = [shelf({}, OTHER)]
    models.answers["use-model"] = [{"step": "loading", "percent": 40}, {"step": "answering", "percent": None}, DONE]
    face = ScriptedFace(["Other", voice.USE])
    session = run(face)
    assert models.requests[-1] == {"request": "use-model", "model": "other_2", "context_tokens": None}
    assert session.talk.engine is not None
    assert face.remarks == [voice.USED.format(title="Other Model", tokens=session.talk.engine.n_ctx)]


def test_one_that_does_not_answer_is_said_and_nothing_else_changes(models: FakeModels, run: Run) -> None:
    models.answers["models"] = [shelf({}, OTHER)]
    models.answers["use-model"] = [{"step": "loading", "percent": 1}, {"error": "It ended before it answered."}]
    face = ScriptedFace(["Other", voice.USE])
    run(face)
    assert face.remarks == ["It ended before it answered."]


def test_after_it_ran_out_of_memory_a_shorter_conversation_is_offered(models: FakeModels, run: Run) -> None:
    models.answers["runtime"] = [RUNTIME | {"result": "oom"}]
    models.answers["use-model"] = [DONE]
    run(ScriptedFace(["Tiny", voice.SHORTER.format(tokens=1024)]))
    assert models.requests[-1] == {"request": "use-model", "model": "tiny_1", "context_tokens": 1024}


@pytest.mark.parametrize(("chosen", "asks"), [(voice.SHORTER.format(tokens=1024), True), (voice.LEAVE, False)])
def test_the_offer_after_it_ran_out_of_memory_can_be_left(
    models: FakeModels, session: MakeSession, chosen: str, asks: bool
) -> None:
    models.answers["runtime"] = [RUNTIME | {"result": "oom"}]
    models.answers["use-model"] = [DONE]
    offer_shorter(session(ScriptedFace([chosen])))
    use = {"request": "use-model", "model": "tiny_1", "context_tokens": 1024}
    assert (use in models.requests) == asks


@pytest.mark.parametrize("runtime", [{"result": "crashed"}, {"result": "oom", "context_tokens": 512}])
def test_nothing_is_offered_where_a_shorter_conversation_would_not_help(
    models: FakeModels, session: MakeSession, runtime: dict[str, Any]
) -> None:
    models.answers["runtime"] = [RUNTIME | runtime]
    face = ScriptedFace()
    offer_shorter(session(face))
    assert face.offered == []


def test_the_conversation_is_as_long_as_there_is_memory_for_again(models: FakeModels, run: Run) -> None:
    models.answers["use-model"] = [DONE]
    run(ScriptedFace(["Tiny", voice.LONGEST]))
    assert models.requests[-1] == {"request": "use-model", "model": "tiny_1", "context_tokens": None}


@pytest.mark.parametrize(
    ("tokens", "offered"),
    [
        (2048, [voice.SHORTER.format(tokens=1024), voice.LONGEST]),
        (700, [voice.SHORTER.format(tokens=512), voice.LONGEST]),
        (512, [voice.LONGEST]),
    ],
)
def test_no_conversation_is_made_shorter_than_a_model_needs(
    models: FakeModels, run: Run, tokens: int, offered: list[str]
) -> None:
    models.answers["runtime"] = [RUNTIME | {"context_tokens": tokens}]
    face = ScriptedFace(["Tiny", None])
    run(face)
    assert [option.title for option in face.offered[-1]] == offered


def test_only_one_that_was_added_can_be_removed(models: FakeModels, run: Run) -> None:
    models.answers["models"] = [shelf({}, OTHER | {"fits": False})]
    models.answers["remove-model"] = [DONE]
    face = ScriptedFace(["Other", voice.REMOVE])
    run(face)
    assert models.requests[-1] == {"request": "remove-model", "model": "other_2"}
    assert face.remarks == [voice.REMOVED.format(title="Other Model")]
    face = ScriptedFace(["Tiny", None])
    run(face)
    assert voice.REMOVE not in [option.title for option in face.offered[-1]]


def test_images_at_the_top_and_in_their_folder_can_be_added(models: FakeModels, run: Run, stick: Path) -> None:
    models.answers["add-model"] = [{"step": "copying", "percent": 50}, DONE | {"model": "new_1"}]
    face = ScriptedFace([voice.ADD[0]])
    run(face)
    assert voice.NO_IMAGES in face.remarks
    (stick / "models").mkdir()
    for name in ("top.raw", "note.txt", "models/new_1.raw"):
        (stick / name).write_bytes(b"x")
    face = ScriptedFace([voice.ADD[0], "models/"])
    run(face)
    assert [option.title for option in face.offered[-1]] == ["top.raw", "models/new_1.raw"]
    assert models.requests[-1] == {"request": "add-model", "path": "models/new_1.raw"}
    assert voice.ADDED.format(model="new_1") in face.remarks


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([{"error": "It is signed by \x1b[31msomebody else."}], "It is signed by [31msomebody else."),
        ([{"step": "copying", "percent": 7}], voice.BROKE_OFF),
        ([], voice.BROKE_OFF),
    ],
)
def test_what_is_refused_or_broken_off_is_one_sentence(
    models: FakeModels, run: Run, stick: Path, answer: list[dict[str, Any]], said: str
) -> None:
    models.answers["add-model"] = answer
    (stick / "new.raw").write_bytes(b"x")
    face = ScriptedFace([voice.ADD[0], "new"])
    run(face)
    assert said in face.remarks


def test_without_the_service_that_is_said(run: Run) -> None:
    face = ScriptedFace()
    run(face)
    [remark] = face.remarks
    assert "there is no service at" in remark


TROUBLES = [
    ("loading", ""),
    ("running", ""),
    ("oom", "not enough memory"),
    ("crashed", "ends again and again"),
    ("unsigned", "is not signed"),
    ("foreign", "not with a key of this machine's owner"),
    ("changed", "is not what was signed"),
    ("missing", "not on this disk"),
]


@pytest.mark.parametrize(("result", "said"), TROUBLES)
def test_a_model_that_does_not_come_is_told_with_the_reason(models: FakeModels, result: str, said: str) -> None:
    models.answers["runtime"] = [RUNTIME | {"result": result}]
    trouble = ModelsService(str(models.server_address)).trouble()
    assert (trouble is not None) == bool(said)
    assert trouble is None or said in trouble.sentence
    assert trouble is None or trouble.out_of_memory == (result == "oom")


def test_a_message_to_a_refused_model_is_given_back_with_the_reason(
    models: FakeModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claudine.talk._PATIENCE_S", 0.0)
    models.answers["runtime"] = [RUNTIME | {"result": "foreign"}]
    runtime: Future[Runtime] = Future()
    runtime.set_result(Runtime(str(tmp_path / "nobody")))
    service = ModelsService(str(models.server_address))
    talk = Talk(runtime, Record(None, "tty1", lambda remark: None), trouble=service.trouble)
    *_, ended = talk.send("Where?")
    assert isinstance(ended, Ended)
    assert voice.trouble("foreign", "tiny_1") == ended.remark
    assert talk.draft == "Where?"


def test_one_that_does_not_come_for_want_of_memory_ends_the_wait(
    models: FakeModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claudine.talk._PATIENCE_S", 0.0)
    models.answers["runtime"] = [RUNTIME | {"result": "oom"}]
    runtime: Future[Runtime] = Future()
    runtime.set_result(Runtime(str(tmp_path / "nobody")))
    service = ModelsService(str(models.server_address))
    *_, ended = Talk(runtime, Record(None, "tty1", lambda remark: None), trouble=service.trouble).send("Where?")
    assert isinstance(ended, Ended)
    assert ended.out_of_memory and not ended.said


def test_a_model_that_ends_while_it_speaks_is_told_with_the_reason(models: FakeModels, socket: Path) -> None:
    models.answers["runtime"] = [RUNTIME | {"result": "oom"}]
    runtime: Future[Runtime] = Future()
    runtime.set_result(Runtime(str(socket)))
    service = ModelsService(str(models.server_address))
    with FakeRuntime(socket, [Answer(["One, "], "close")]):
        talk = Talk(runtime, Record(None, "tty1", lambda remark: None), trouble=service.trouble)
        *_, ended = talk.send("Count.")
    assert isinstance(ended, Ended)
    assert ended.remark.endswith(voice.trouble("oom", "tiny_1"))
    assert ended.out_of_memory
    assert [entry.text for entry in talk.record.path] == ["Count.", "One, "]


@pytest.mark.parametrize(
    ("wanted", "backend", "warned"),
    [("vulkan", "CPU", True), ("vulkan", "Vulkan", False), ("cpu", "CPU", False)],
)
def test_a_fall_back_to_the_processor_is_a_warning(
    models: FakeModels, tmp_path: Path, wanted: str, backend: str, warned: bool
) -> None:
    models.answers["runtime"] = [RUNTIME | {"wanted": wanted, "backend": backend}]
    file = tmp_path / "gpu"
    file.write_text(wanted + "\n")
    service = ModelsService(str(models.server_address))
    assert service.warning(file) == (voice.FELL_BACK if warned else "")
    assert service.warning(tmp_path / "none") == ""


def test_what_waits_can_be_stopped(models: FakeModels) -> None:
    stop = Stop()
    models.answers["use-model"] = [{"step": "loading", "percent": None}]
    with pytest.raises(StoppedError):
        ModelsService(str(models.server_address)).use("tiny_1", None, lambda step, percent: stop.press(), stop)


@pytest.mark.parametrize("line", [b"[]\n", b"\xff\n", b'{"done": true}\n', b'{"done": true, "models": [7]}\n'])
def test_nonsense_is_one_sentence(tmp_path: Path, models: FakeModels, line: bytes) -> None:
    models.raw = line
    with pytest.raises(StateError, match="cannot read"):
        ModelsService(str(models.server_address)).shelf()
