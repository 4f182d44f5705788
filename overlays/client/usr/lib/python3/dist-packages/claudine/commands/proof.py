"""What this machine is, how it is, and proof of what it promises."""

import json
from collections.abc import Iterable
from pathlib import Path

from claudine import health, model
from claudine.commands import Command, Session
from claudine.proof import Check, prove
from claudine.state import StateError
from claudine.text import printable
from claudine.voice import proof as voice

_OS_RELEASE = Path("/etc/os-release")
_COMMAND_LINE = Path("/proc/cmdline")

Row = tuple[str, str]


def _prove(session: Session, argument: str) -> None:
    with session.face.busy(voice.PROVING) as say:
        checks = list(prove(session.service, session.talk.runtime.result(), say=say))
    session.face.page(voice.PROOF, render(checks))


def render(checks: Iterable[Check]) -> str:
    """Write the checks as a page: the commands and their answers indented, as on an engineer's screen."""
    checks = list(checks)
    parts = [voice.PROOF_INTRODUCTION.strip()]
    for number, check in enumerate(checks, start=1):
        parts.append(f"{number}. {check.title}")
        for look in check.looks:
            answer = "\n".join(f"    {line}" for line in look.answer.splitlines() or [voice.NOT_SEEN])
            parts.append(f"  $ {look.command}\n{answer}")
        parts.append(f"{voice.PASSED if check.passed else voice.FAILED}: {check.meaning}")
    return "\n\n".join([*parts, summary(checks), voice.PROOF_LIMITS.strip()])


def summary(checks: Iterable[Check]) -> str:
    """Say in one sentence how it went."""
    checks = list(checks)
    failed = [check.title for check in checks if not check.passed]
    return voice.some_failed(failed, len(checks)) if failed else voice.all_passed(len(checks))


def _receipt(session: Session, argument: str) -> None:
    answer = next((entry for entry in reversed(session.talk.record.path) if entry.role == "assistant"), None)
    if answer is None:
        session.face.remark(voice.NO_ANSWER_YET)
        return
    trace = _trace(answer.trace)
    recorded = model.read_record()
    facts = session.facts()
    rows = [
        ("Model", trace.get("model", voice.NO_TRACE)),
        ("Model's SHA-256", recorded.sha256 if recorded else voice.NO_IMAGE),
        ("Image's root hash", root_hash() or voice.NO_IMAGE),
        ("Engine", trace.get("build", voice.NO_TRACE)),
    ]
