"""Checks of what this machine promises, one after the other: the command, the kernel's answer, and what it means.

    for check in prove(service, runtime, say=print):
        print(check.title, check.passed, check.meaning)

A check that cannot look has failed: what is not seen is not proven.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from claudine.attempt import NO_SUCH_SOCKET, NO_WAY_OUT, open_sockets
from claudine.evidence import Evidence
from claudine.facts import Facts, count_routes, look, parse_interfaces
from claudine.model import RECORD, read_record
from claudine.models import ModelsService
from claudine.state import StateError, StateService
from claudine.voice import models as models_voice
from claudine.voice import proof as voice

if TYPE_CHECKING:
    from claudine.runtime import Runtime

Say = Callable[[str], None]

_EFI = "/sys/firmware/efi/efivars/{}-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_REQUIRE = "/sys/module/dm_verity/parameters/require_signatures"
# Documentation/admin-guide/device-mapper/verity.rst: start, length and "verity", then eight words before the root
# hash; and how the table names the signature that the kernel has checked.
_DIGEST = 11
_SIGNED = "root_hash_sig_key_desc"


@dataclass(frozen=True)
class Look:
    """What one types to see it, and what comes back."""

    command: str
    answer: str


@dataclass(frozen=True)
class Check:
    """*name* is for scripts, *title* for a person; *meaning* is one sentence that says what was found."""

    name: str
    title: str
    looks: tuple[Look, ...]
    passed: bool
    meaning: str


def prove(service: StateService, runtime: "Runtime", *, say: Say, root: Path = Path("/")) -> Iterator[Check]:
    """Yield the checks as they are done; *say* hears what is being looked at."""
    say(voice.PROVING)
    try:
        evidence, reason = service.evidence(), ""
    except StateError as failure:
        evidence, reason = Evidence(), str(failure)
    for examine in (_secure_boot, _root, _signer, _kernel):
        yield _explained(examine(evidence), reason)
    own = look(runtime.path, root)
    yield _explained(_network(evidence, own), reason)
    yield _sockets()
    say(voice.CONNECTING)
    yield _connecting(service, own)
    yield _model(service, evidence.process, say, root)


def _explained(check: Check, reason: str) -> Check:
    """Where nobody could be asked, nothing is known to be wrong either."""
    return replace(check, meaning=voice.NOBODY_LOOKED.format(reason=reason)) if reason else check


def _secure_boot(evidence: Evidence) -> Check:
    flags = {"SecureBoot": evidence.secure_boot, "SetupMode": evidence.setup_mode}
    looks = (
        Look(f"od -An -tu1 -j4 {_EFI.format(name)}", voice.NOT_SEEN if value is None else str(int(value)))
        for name, value in flags.items()
    )
    passed = evidence.secure_boot is True and evidence.setup_mode is False
    meaning = voice.SECURE_BOOT_ON if passed else voice.SECURE_BOOT_OFF
    return Check("secure-boot", voice.SECURE_BOOT, tuple(looks), passed, meaning)


def _root(evidence: Evidence) -> Check:
    looks = (
        Look("cat /proc/cmdline", f"roothash={evidence.command_line}" if evidence.command_line else voice.NOT_SEEN),
        Look("dmsetup table root", evidence.verity_table or voice.NOT_SEEN),
        Look(f"cat {_REQUIRE}", evidence.require_signatures or voice.NOT_SEEN),
    )
    table = evidence.verity_table.split()
    passed = (
        bool(evidence.command_line)
        and table[2:3] == ["verity"]
        and table[_DIGEST : _DIGEST + 1] == [evidence.command_line]
        and _SIGNED in table
        and evidence.require_signatures == "Y"
    )
    return Check("root", voice.ROOT, looks, passed, voice.ROOT_VERIFIED if passed else voice.ROOT_UNVERIFIED)


def _signer(evidence: Evidence) -> Check:
    passed = bool(evidence.signer_sha256)
    answer = f"{evidence.signer}\nSHA-256 {evidence.signer_sha256}" if passed else voice.NOT_SEEN
    looks = (Look("cat /dev/disk/by-partlabel/*_verity_sig /sys/firmware/efi/efivars/db-*", answer),)
    return Check("signer", voice.SIGNER, looks, passed, voice.SIGNER_FOUND if passed else voice.SIGNER_UNKNOWN)


def _kernel(evidence: Evidence) -> Check:
    looks = (Look("cat /sys/kernel/security/lockdown", evidence.lockdown or voice.NOT_SEEN),)
    passed = "[integrity]" in evidence.lockdown or "[confidentiality]" in evidence.lockdown
    return Check("kernel", voice.KERNEL, looks, passed, voice.KERNEL_LOCKED if passed else voice.KERNEL_OPEN)


def _network(evidence: Evidence, own: Facts) -> Check:
    process = f"/proc/{evidence.process or 'PID'}"
    inodes = (evidence.host_namespace, evidence.namespace, own.namespace)
    looks = (
        Look(
            f"readlink /proc/1/ns/net {process}/ns/net /proc/self/ns/net",
            "\n".join(voice.NOT_SEEN if inode is None else f"net:[{inode}]" for inode in inodes),
        ),
        Look(f"cat {process}/net/dev", evidence.dev or voice.NOT_SEEN),
        Look(
            f"cat {process}/net/route {process}/net/ipv6_route",
            f"{evidence.route}\n{evidence.ipv6_route}".strip() or voice.NOT_SEEN,
        ),
    )
    passed, meaning = _judge_network(evidence, own)
    return Check("network", voice.NETWORK, looks, passed, meaning)


def _judge_network(evidence: Evidence, own: Facts) -> tuple[bool, str]:
    try:
        interfaces, routes = parse_interfaces(evidence.dev), count_routes(evidence.route, evidence.ipv6_route)
    except ValueError:
        interfaces, routes = (), 0
    if not interfaces or evidence.namespace is None or evidence.host_namespace is None:
        return False, voice.NETWORK_UNKNOWN
    facts = Facts(interfaces, routes, evidence.namespace, is_runtimes=True)
    if not facts.sealed:
        return False, voice.NETWORK_OPEN.format(facts=facts.line)
    if evidence.namespace == evidence.host_namespace:
        return False, voice.NETWORK_NOT_OWN
    if evidence.namespace != own.namespace:
        return False, voice.NETWORK_ANOTHER
    return True, voice.NETWORK_EMPTY.format(sent_bytes=facts.sent_bytes)


def _sockets() -> Check:
    attempts = open_sockets()
    passed = all(attempt.error in NO_SUCH_SOCKET for attempt in attempts)
    looks = tuple(
        Look(f"python3 -c 'import socket; socket.socket(socket.{attempt.what})'", attempt.words or voice.THROUGH)
        for attempt in attempts
    )
    return Check("sockets", voice.SOCKETS, looks, passed, voice.SOCKETS_REFUSED if passed else voice.SOCKETS_GIVEN)


def _connecting(service: StateService, own: Facts) -> Check:
    command = "python3 -I -m claudine.attempt"
    try:
        found = service.connect_out()
    except StateError as failure:
        meaning = voice.CONNECTING_UNTRIED.format(reason=failure)
        return Check("connecting", voice.CONNECTING, (Look(command, voice.NOT_SEEN),), False, meaning)
    answers = [f"net:[{found.namespace}]", *(f"{one.what}: {one.words or voice.THROUGH}" for one in found.attempts)]
    passed, meaning = True, voice.CONNECTING_REFUSED
    if not found.attempts or not all(attempt.error in NO_WAY_OUT for attempt in found.attempts):
        passed, meaning = False, voice.CONNECTING_POSSIBLE
    elif found.namespace is None or found.namespace != own.namespace:
        passed, meaning = False, voice.CONNECTING_ELSEWHERE
    return Check("connecting", voice.CONNECTING, (Look(command, "\n".join(answers)),), passed, meaning)


def _model(service: StateService, process: int | None, say: Say, root: Path) -> Check:
    """Compare what the runtime has read with what the build recorded; of one that was added, say who signed it."""
    record = read_record(root)
    models = ModelsService.beside(service.path)
    command = f"sha256sum /proc/{process or 'PID'}/root/run/model/model.gguf"
    try:
        model = models.fate().model
        digest = models.digest(model, lambda step, percent: say(models_voice.step(step, percent)))
    except StateError as failure:
        meaning = voice.MODEL_UNREADABLE.format(reason=failure)
        return Check("model", voice.MODEL, (Look(command, voice.NOT_SEEN),), False, meaning)
    signed = voice.MODEL_SIGNED.format(root_hash=digest.root_hash, signer=digest.signer, sha256=digest.signer_sha256)
    looks = [Look(command, f"{digest.sha256}\n{signed}" if digest.signer else digest.sha256)]
    if record and record.id != model:
        passed, meaning = bool(digest.signer), voice.MODEL_ADDED if digest.signer else voice.MODEL_UNSIGNED
        return Check("model", voice.MODEL, tuple(looks), passed, meaning.format(model=model))
    looks.append(Look(f"cat /{RECORD}", record.sha256 if record else voice.NOT_SEEN))
    if record is None:
        return Check("model", voice.MODEL, tuple(looks), False, voice.MODEL_UNRECORDED)
    passed = digest.sha256 == record.sha256 and bool(digest.signer)
    meaning = (voice.MODEL_SAME if passed else voice.MODEL_OTHER).format(title=record.title)
    return Check("model", voice.MODEL, tuple(looks), passed, meaning)
