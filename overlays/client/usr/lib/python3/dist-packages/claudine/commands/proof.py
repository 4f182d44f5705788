"""What this machine is, how it is, and proof of what it promises."""

from collections.abc import Callable, Iterable, Sequence

from claudine import facts, health, image, model
from claudine.commands import Command, Session
from claudine.models import Fate, ModelsService
from claudine.proof import Check, prove
from claudine.state import StateError
from claudine.trace import Trace
from claudine.voice import models as models_voice
from claudine.voice import proof as voice

Row = tuple[str, str]


def _prove(session: Session, _argument: str) -> None:
    with session.face.busy(voice.PROVING) as say:
        checks = list(prove(session.service, session.talk.runtime.result(), say=say))
    session.face.page(voice.PROOF, render(checks))


def render(checks: Sequence[Check]) -> str:
    """Write the checks as a page: commands and answers indented, as they would stand on an engineer's screen."""
    parts = [voice.PROOF_INTRODUCTION.strip()]
    parts += [_paragraph(number, check) for number, check in enumerate(checks, start=1)]
    return "\n\n".join([*parts, summary(checks), voice.PROOF_LIMITS.strip()])


def _paragraph(number: int, check: Check) -> str:
    rows = [f"{number}. {check.title}"]
    for look in check.looks:
        # The kernel pads its tables for wider screens than an 80-column console.
        answer = [" ".join(line.split()) for line in look.answer.splitlines() if line.strip()]
        rows += [f"  $ {look.command}", *(f"    {line}" for line in answer)]
    return "\n".join([*rows, f"{voice.PASSED if check.passed else voice.FAILED}: {check.meaning}"])


def summary(checks: Sequence[Check]) -> str:
    """Say in one sentence how it went."""
    failed = [check.title for check in checks if not check.passed]
    return voice.some_failed(failed, len(checks)) if failed else voice.all_passed(len(checks))


def _receipt(session: Session, _argument: str) -> None:
    answer = next((entry for entry in reversed(session.talk.record.path) if entry.role == "assistant"), None)
    if answer is None:
        session.face.remark(voice.NO_ANSWER_YET)
        return
    trace = Trace.from_json(answer.trace)
    with session.face.busy(voice.PROVING) as say:
        runtime = session.talk.runtime.result()
        sha256 = _sha256(ModelsService.beside(session.service.path), trace.model, say)
        seen = facts.look(runtime.path)
    rows = [
        ("Model", trace.model or voice.NO_TRACE),
        ("Its SHA-256", sha256),
        ("Engine", trace.build or voice.NO_TRACE),
        ("Image", image.version() or voice.NO_IMAGE),
        ("Root hash", image.root_hash() or voice.NO_IMAGE),
        ("Tokens read", _count(trace.prompt_tokens)),
        ("Tokens written", _count(trace.tokens)),
        ("Seconds", f"{trace.seconds:.1f}" if trace.seconds else voice.NO_TRACE),
        ("Routes available", voice.routes(seen.routes) if seen.readable else voice.UNKNOWN),
        ("Network", seen.line),
    ]
    session.face.page(voice.RECEIPT, _table(rows) + "\n\n" + voice.RECEIPT_NOTE.strip())


def _count(tokens: int | None) -> str:
    return voice.NO_TRACE if tokens is None else str(tokens)


def _sha256(models: ModelsService, model: str, say: Callable[[str], None]) -> str:
    try:
        # Only the weights of the model in use can be read.
        if models.fate().model != model:
            return voice.ANOTHER_MODEL
        return models.digest(model, lambda step, percent: say(models_voice.step(step, percent))).sha256
    except StateError:
        return voice.UNKNOWN


def _about(session: Session, _argument: str) -> None:
    record = model.read_record()
    with session.face.busy(voice.PROVING):
        engine = session.talk.runtime.result().engine()
        fate = ModelsService.beside(session.service.path).fate_if_known()
    rows = [
        ("Image", image.version() or voice.NO_IMAGE),
        ("Root hash", image.root_hash() or voice.NO_IMAGE),
        ("Engine", f"llama-server {engine.build}" if engine else voice.UNKNOWN),
        ("Model", engine.model if engine else voice.UNKNOWN),
        ("Runs on", _runs_on(fate)),
    ]
    if record:
        rows += [
            ("The image's own model", record.title),
            ("Its SHA-256", record.sha256),
            ("Its licence", record.licence),
            ("Licence text", str(record.licence_text or voice.UNKNOWN)),
        ]
    session.face.page(voice.ABOUT, _table(rows) + "\n\n" + voice.ABOUT_NOTE.strip())


def _runs_on(fate: Fate | None) -> str:
    return (fate and models_voice.runs_on(fate.backend, fate.device)) or voice.UNKNOWN


def _status(session: Session, _argument: str) -> None:
    with session.face.busy(voice.PROVING):
        runtime = session.talk.runtime.result()
        state = runtime.state()
        fate = ModelsService.beside(session.service.path).fate_if_known()
        try:
            disk = session.service.status()
            disk_row = voice.used(disk.free_bytes, disk.size_bytes)
        except StateError as failure:
            disk_row = str(failure)
    found = health.look()
    trouble = models_voice.trouble(fate.result, fate.model) if fate else ""
    rows = [
        ("Runtime", ": ".join(filter(None, (state.kind, state.detail)))),
        ("Runs on", _runs_on(fate)),
        ("Disk", disk_row),
        ("Memory", _memory(found)),
        ("Temperature", _temperature(found)),
        ("On for", voice.UNKNOWN if found.up_s is None else voice.days(found.up_s)),
        ("Network", facts.look(runtime.path).line),
    ]
    warning = models_voice.FELL_BACK if fate and fate.fell_back else trouble
    session.face.page(voice.STATUS, "\n\n".join(filter(None, [_table(rows), warning])))


def _memory(found: health.Health) -> str:
    if found.memory_bytes is None or found.memory_free_bytes is None:
        return voice.UNKNOWN
    return voice.used(found.memory_free_bytes, found.memory_bytes)


def _temperature(found: health.Health) -> str:
    hottest = found.hottest
    return f"{voice.degrees(hottest.celsius)} ({hottest.name})" if hottest else voice.NO_SENSOR


def _table(rows: Iterable[Row]) -> str:
    """Write each row as ``name: value``, which reads well in any width and to any ear."""
    return "\n".join(f" {name}: {value}" for name, value in rows)


COMMANDS: tuple[Command, ...] = (
    Command("prove", voice.PROVE_COMMAND, _prove, key="f4", needs_person=False),
    Command("receipt", voice.RECEIPT_COMMAND, _receipt, needs_person=False),
    Command("about", voice.ABOUT_COMMAND, _about, needs_person=False),
    Command("status", voice.STATUS_COMMAND, _status, needs_person=False),
)
