"""What the machine's services answer about its promises, as values. No text from there is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass

from claudine.attempt import Attempt
from claudine.facts import parse_namespace
from claudine.text import printable


@dataclass(frozen=True)
class Evidence:
    """What root sees: the files' own words, empty where there are none; see ``claudine_state.evidence``."""

    secure_boot: bool | None = None
    setup_mode: bool | None = None
    command_line: str = ""
    verity_table: str = ""
    require_signatures: str = ""
    signer: str = ""
    signer_sha256: str = ""
    lockdown: str = ""
    host_namespace: int | None = None
    process: int | None = None
    namespace: int | None = None
    dev: str = ""
    route: str = ""
    ipv6_route: str = ""


@dataclass(frozen=True)
class Attempts:
    """How attempts to connect out ended, and the namespace they were made from."""

    namespace: int | None
    attempts: tuple[Attempt, ...]


def read_evidence(answer: Mapping[str, object]) -> Evidence:
    """Take what has the expected shape; the rest counts as not there."""
    signer, runtime = _mapping(answer.get("signer")), _mapping(answer.get("runtime"))
    return Evidence(
        secure_boot=_flag(answer.get("secure_boot")),
        setup_mode=_flag(answer.get("setup_mode")),
        command_line=_text(answer.get("command_line")),
        verity_table=_text(answer.get("verity_table")),
        require_signatures=_text(answer.get("require_signatures")),
        signer=_text(signer.get("subject")),
        signer_sha256=_text(signer.get("sha256")),
        lockdown=_text(answer.get("lockdown")),
        host_namespace=_number(answer.get("host_namespace")),
        process=_number(runtime.get("process")),
        namespace=_number(runtime.get("namespace")),
        dev=_text(runtime.get("dev")),
        route=_text(runtime.get("route")),
        ipv6_route=_text(runtime.get("ipv6_route")),
    )


def read_attempts(answer: Mapping[str, object]) -> Attempts:
    """Take the attempts that have the expected shape."""
    try:
        namespace = parse_namespace(_text(answer.get("namespace")))
    except ValueError:
        namespace = None
    listed = answer.get("attempts")
    attempts = [_mapping(one) for one in listed] if isinstance(listed, list) else []
    return Attempts(namespace, tuple(Attempt(*(_text(one.get(name)) for name in _ATTEMPT)) for one in attempts))


_ATTEMPT = ("what", "error", "words")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return printable(value) if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
