"""The service that looks after the machine: one connection, one line of JSON each way, for each request.

    service = StateService("/run/claudine-state/control.sock")
    service.status()            → DiskStatus(unlock="tpm2", recovery_key="none", size_bytes=…, free_bytes=…)
    service.new_recovery_key()  → "cbdefghi-jklnrtuv-…"
    service.sticks()            → [Stick(id="17-1", label="HOLIDAY", size_bytes=…, model="SanDisk Ultra Fit")]

Everything raises StateError and nothing else.
"""

import json
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claudine import voice
from claudine.text import one_line

if TYPE_CHECKING:
    from claudine.evidence import Attempts, Evidence

# Where the service is slow, it waits for a TPM or for the key derivation of LUKS.
_STATUS_S = 30.0
_CHANGE_S = 300.0
# Python is started for each of these, and an attempt that nothing refuses waits for its time to be over.
_PROOF_S = 90.0
_LONGEST_LINE = 65536

# What systemd-cryptenroll makes: 256 bits in modhex, letters that are in the same place on almost every keyboard.
_KEY = re.compile("[cbdefghijklnrtuv]{8}(-[cbdefghijklnrtuv]{8}){7}")


class StateError(Exception):
    """Its text is the sentence that says what is the matter."""


class NoServiceError(StateError):
    """There is no such service: this is a desk, or a machine without an encrypted disk."""


@dataclass(frozen=True)
class DiskStatus:
    """*unlock* is ``tpm2`` or ``passphrase``; *recovery_key* is ``none``, ``unconfirmed`` or ``confirmed``."""

    unlock: str
    recovery_key: str
    size_bytes: int
    free_bytes: int

    @property
    def wants_recovery_key(self) -> bool:
        """Say whether this machine is the only thing that opens the disk."""
        return self.unlock == "tpm2" and self.recovery_key != "confirmed"

    @property
    def almost_full(self) -> bool:
        """Say whether less than 5 % or less than 32 MiB is free."""
        return self.free_bytes < max(0.05 * self.size_bytes, 32 * 1024**2)


@dataclass(frozen=True)
class Stick:
    """A file system on USB storage that is in, as a person knows it; *label* and *model* may be empty."""

    id: str
    label: str
    size_bytes: int
    model: str


class StateService:
    """The service that listens at *path*."""

    def __init__(self, path: str) -> None:
        self.path = path

    def status(self) -> DiskStatus:
        """Ask how the disk is."""
        answer = self._ask("status", _STATUS_S)
        try:
            return DiskStatus(
                unlock=str(answer["unlock"]),
                recovery_key=str(answer["recovery_key"]),
                size_bytes=int(answer["size_bytes"]),
                free_bytes=int(answer["free_bytes"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(voice.STATE_UNREADABLE) from error

    def new_recovery_key(self) -> str:
        """Make a recovery key, 8 groups of 8 letters, and let every earlier one open nothing any more."""
        key = self._ask("new-recovery-key", _CHANGE_S).get("recovery_key")
        if not (isinstance(key, str) and _KEY.fullmatch(key)):
            raise StateError(voice.STATE_UNREADABLE)
        return key

    def confirm_recovery_key(self) -> None:
        """Note that somebody has the last key."""
        self._ask("confirm-recovery-key", _CHANGE_S)

    def factory_reset(self) -> None:
        """Erase the disk. The machine restarts soon after."""
        self._ask("factory-reset", _CHANGE_S)

    def sticks(self) -> list[Stick]:
        """Return the sticks that are in."""
        try:
            return [
                Stick(
                    id=str(stick["id"]),
                    label=one_line(str(stick["label"])),
                    size_bytes=int(stick["size_bytes"]),
                    model=one_line(str(stick["model"])),
                )
                for stick in self._ask("sticks", _STATUS_S)["sticks"]
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(voice.STATE_UNREADABLE) from error

    def open_stick(self, stick: Stick) -> str:
        """Open *stick* and return the folder in which its files are."""
        path = self._ask("open-stick", _CHANGE_S, stick=stick.id).get("path")
        if not isinstance(path, str):
            raise StateError(voice.STATE_UNREADABLE)
        return path

    def close_stick(self) -> None:
        """Have everything written to the open stick, and close it."""
        self._ask("close-stick", _CHANGE_S)

    def apply_settings(self) -> None:
        """Put the settings that are stored in force."""
        self._ask("apply-settings", _CHANGE_S)

    def power_off(self) -> None:
        """Turn the machine off, soon after."""
        self._ask("power-off", _CHANGE_S)

    def restart(self) -> None:
        """Start the machine anew, soon after."""
        self._ask("restart", _CHANGE_S)

    def evidence(self) -> "Evidence":
        """Ask what root can see of the machine's promises."""
        from claudine.evidence import read_evidence

        return read_evidence(self._testimony("evidence.sock"))

    def connect_out(self) -> "Attempts":
        """Have it tried to connect out from the network of the model's server."""
        from claudine.evidence import read_attempts

        return read_attempts(self._testimony("connect.sock"))

    def _testimony(self, name: str) -> dict[str, Any]:
        from claudine.voice.proof import NO_WITNESS

        return _hear(str(Path(self.path).with_name(name)), b"", _PROOF_S, absent=NO_WITNESS)

    def _ask(self, request: str, timeout_s: float, **more: str) -> dict[str, Any]:
        line = json.dumps({"request": request, **more}).encode() + b"\n"
        return _hear(self.path, line, timeout_s, absent=voice.STATE_ABSENT)


def _hear(path: str, line: bytes, timeout_s: float, *, absent: str) -> dict[str, Any]:
    """Send *line* and return what comes back. *absent* is the sentence for nobody being there."""
    try:
        answer = json.loads(_exchange(path, line, timeout_s))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NoServiceError(absent.format(path=path)) from error
    except TimeoutError as error:
        raise StateError(voice.STATE_SILENT) from error
    except OSError as error:
        raise StateError(voice.STATE_UNREACHABLE.format(reason=error.strerror or error)) from error
    except (ValueError, RecursionError) as error:
        raise StateError(voice.STATE_UNREADABLE) from error
    if not isinstance(answer, dict):
        raise StateError(voice.STATE_UNREADABLE)
    if "error" in answer:
        raise StateError(one_line(str(answer["error"])))
    return answer


def _exchange(path: str, line: bytes, timeout_s: float) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        connection.connect(path)
        if line:
            # Who has answered already and hung up would take even nothing for a broken pipe.
            connection.sendall(line)
        with connection.makefile("rb") as answer:
            return answer.readline(_LONGEST_LINE)
