"""The socket through which the client asks about the machine: one request a connection, one line of JSON each way.

    {"request": "status"}                → {"unlock": "tpm2", "recovery_key": "none", "size_bytes": …, "free_bytes": …}
    {"request": "new-recovery-key"}      → {"recovery_key": "cbdefghi-…"}
    {"request": "confirm-recovery-key"}  → {}
    {"request": "factory-reset"}         → {}, then everything is erased
    {"request": "power-off"}             → {}, then the machine is turned off
    {"request": "restart"}               → {}, then it starts anew
    {"request": "apply-settings"}        → {}, when what the client has written is in force
    {"request": "sticks"}                → {"sticks": [{"id": "17-1", "label": "HOLIDAY", "size_bytes": …, …}]}
    {"request": "open-stick", "stick": "17-1"}  → {"path": "/run/claudine-stick/files"}, for an id from that list
    {"request": "close-stick"}           → {}, when it can be taken out
    anything else                        → {"error": "one sentence"}

The other end is not trusted. No key is ever written anywhere but into the answer.
"""

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path

from claudine_state import recovery_key, reset, sticks
from claudine_state.answer import Answer, send
from claudine_state.durable import write_durably
from claudine_state.header import read_header
from claudine_state.host import Host
from claudine_state.request import RequestError, read_line
from claudine_state.run import CommandError
from claudine_state.seal import record_missing_seal


def serve(host: Host, source: int = 0, target: int = 1) -> None:
    """Answer the one request that comes from *source*, to *target*."""
    try:
        name, argument = _parse(read_line(source))
        # Who wants to turn the machine off does not wait for a stick that hangs.
        with nullcontext() if name in _AT_ONCE else _lock(host):
            if argument is None:
                _HANDLERS[name](host, target)
            else:
                _open_stick(host, target, argument)
    except (RequestError, sticks.StickError, CommandError, OSError) as error:
        send(target, {"error": str(error)})


def _parse(line: bytes) -> tuple[str, str | None]:
    """Return the name of the request, and the stick that it is about if there is one. Raises RequestError."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RequestError("The request is not JSON.") from error
    match request:
        case {"request": "open-stick", "stick": str(stick)} if len(request) == 2:
            return "open-stick", stick
        case {"request": str(name)} if len(request) == 1 and name in _HANDLERS:
            return name, None
    raise RequestError(f"The request is none that I know: {', '.join([*_HANDLERS, 'open-stick'])}.")


@contextmanager
def _lock(host: Host) -> Iterator[None]:
    """One request after the other: two new recovery keys at once would wipe each other."""
    descriptor = os.open(host.runtime_directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _status(host: Host, target: int) -> None:
    sizes = os.statvfs(host.root / "var")
    answer: Answer = {
        "unlock": host.unlock(),
        "recovery_key": _recovery_key_state(host),
        "size_bytes": sizes.f_blocks * sizes.f_frsize,
        "free_bytes": sizes.f_bavail * sizes.f_frsize,
    }
    send(target, answer)


def _recovery_key_state(host: Host) -> str:
    keyslots = read_header(host).recovery_keyslots
    if not keyslots:
        return "none"
    try:
        confirmed = _marker(host).read_text(errors="replace").strip()
    except FileNotFoundError:
        return "unconfirmed"
    return "confirmed" if confirmed in keyslots else "unconfirmed"


def _new_recovery_key(host: Host, target: int) -> None:
    if host.unlock() == "passphrase":
        raise RequestError("My disk opens with a passphrase, and a recovery key could only be added with it.")
    # It is about the key that goes now; the new one may get the same slot.
    _marker(host).unlink(missing_ok=True)
    argv = ["systemd-cryptenroll", "--unlock-tpm2-device=auto", "--wipe-slot=recovery", "--recovery-key"]
    printed = host.run([*argv, str(host.partition)]).decode(errors="replace")
    try:
        key = recovery_key.normalise(printed)
    except recovery_key.NotARecoveryKeyError as error:
        raise RequestError("A recovery key was made, but not printed; please ask for another one.") from error
    record_missing_seal(host)
    send(target, {"recovery_key": key})


def _confirm_recovery_key(host: Host, target: int) -> None:
    keyslots = read_header(host).recovery_keyslots
    if not keyslots:
        raise RequestError("There is no recovery key yet.")
    write_durably(_marker(host), min(keyslots) + "\n")
    send(target, {})


def _factory_reset(host: Host, target: int) -> None:
    # What can be refused comes first, so that the answer is true.
    reset.request_reset(host)
    send(target, {})
    try:
        reset.erase_and_restart(host)
    except (CommandError, OSError) as error:
        print(f"The disk could not be erased now; the next start does it: {error}", file=sys.stderr)


def _power_off(host: Host, target: int) -> None:
    _go_down(host, target, "poweroff")


def _restart(host: Host, target: int) -> None:
    _go_down(host, target, "reboot")


def _go_down(host: Host, target: int, how: str) -> None:
    # Answered first: this service is among the first to be stopped.
    send(target, {})
    try:
        host.run(["systemctl", how])
    except CommandError as error:
        print(f"The machine stays on: {error}", file=sys.stderr)


def _apply_settings(host: Host, target: int) -> None:
    # What is wrong in the file is in that unit's journal.
    host.run(["systemctl", "restart", "claudine-settings.service"])
    send(target, {})


def _list_sticks(host: Host, target: int) -> None:
    send(target, {"sticks": [asdict(stick) for stick in sticks.find_sticks(host)]})


def _open_stick(host: Host, target: int, id_: str) -> None:
    sticks.open_stick(host, id_)
    send(target, {"path": sticks.MOUNT_POINT})


def _close_stick(host: Host, target: int) -> None:
    sticks.close_stick(host)
    send(target, {})


def _marker(host: Host) -> Path:
    return host.root / "var/lib/claudine-state/recovery-key-confirmed"


_HANDLERS: dict[str, Callable[[Host, int], None]] = {
    "status": _status,
    "new-recovery-key": _new_recovery_key,
    "confirm-recovery-key": _confirm_recovery_key,
    "factory-reset": _factory_reset,
    "power-off": _power_off,
    "restart": _restart,
    "apply-settings": _apply_settings,
    "sticks": _list_sticks,
    "close-stick": _close_stick,
}
_AT_ONCE = ("power-off", "restart")
