"""The passphrase of a disk that opens with one: asked for before the disk is made, and gone once it is."""

import os
from pathlib import Path

from claudine_state import voice
from claudine_state.console import Console
from claudine_state.host import Host
from claudine_state.reset import is_resetting

MINIMUM_LENGTH = 12


def passphrase_path(host: Host) -> Path:
    """Return the file in memory that systemd-repart reads with ``--key-file=``."""
    return host.runtime_directory / "passphrase"


def ask_at_first_start(host: Host, console: Console) -> None:
    """Let the person choose the passphrase of a disk that is about to be made. Raises CommandError, OSError.

    If there is a disk already, nobody is asked, but there is a file all the same: systemd-repart refuses to start
    when the one that ``--key-file=`` names is missing.
    """
    host.run(["udevadm", "settle", "--timeout=30"])
    is_needed = not host.partition.exists() or is_resetting(host)
    chosen = choose(console) if is_needed else ""
    forget(host)
    descriptor = os.open(passphrase_path(host), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(chosen)
    if is_needed:
        console.say(voice.PASSPHRASE_TAKEN)


def choose(console: Console) -> str:
    """Ask until a passphrase is good enough and was typed twice."""
    console.clear()
    console.say(voice.CHOOSE_PASSPHRASE.format(minimum=MINIMUM_LENGTH))
    while True:
        first = console.read_line(voice.PASSPHRASE_PROMPT, echo=False)
        if (objection := _objection(first)) is not None:
            console.say(objection)
        elif console.read_line(voice.PASSPHRASE_AGAIN, echo=False) != first:
            console.say(voice.PASSPHRASE_DIFFERS)
        else:
            return first


def forget(host: Host) -> None:
    """Delete the file, if an earlier attempt has left one."""
    passphrase_path(host).unlink(missing_ok=True)


def _objection(passphrase: str) -> str | None:
    if not passphrase.isprintable():
        return voice.PASSPHRASE_UNTYPABLE
    if len(passphrase) < MINIMUM_LENGTH:
        return voice.PASSPHRASE_SHORT.format(length=len(passphrase), minimum=MINIMUM_LENGTH)
    return None
