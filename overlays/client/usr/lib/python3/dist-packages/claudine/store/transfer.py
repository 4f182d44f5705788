"""Conversations on their way to a file and back, on a stick for example.

    path = export(store.each(), Path("/run/…/stick"), "jsonl", name="claudine-chats")
    done = take_in(store, path)          # the same again: nothing is new

Nothing is overwritten, and nothing half-written is left under a name that anybody would take for the whole.
"""

import errno
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from claudine.durable import put_in_place
from claudine.store import BelongsElsewhereError, Chat, Store, StoreError
from claudine.store.jsonlines import LineError, line, parse
from claudine.store.markdown import markdown
from claudine.voice import chats as voice

Format = Literal["md", "jsonl"]

ALL_CHATS = "claudine-chats"

_LONGEST_LINE_BYTES = 32 * 1024 * 1024
_MOST_FAULTS = 20
_MOST_SAME_NAMES = 1000


class TransferError(Exception):
    """Its text is the sentence that says what is the matter. Nothing was written."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line, and so with one conversation. Lines count from 1."""

    line: int
    reason: str


@dataclass(frozen=True)
class TakenIn:
    """How many conversations were *new*, *extended* by messages that were not here, or *known* as they are.

    If the store *failed*, the last of *faults* says why, and the lines after it were not looked at.
    """

    new: int = 0
    extended: int = 0
    known: int = 0
    failed: bool = False
    faults: tuple[Fault, ...] = ()


def texts(chats: Iterable[Chat], format_: Format) -> Iterator[str]:
    """Return *chats* as text, each in one piece."""
    return map(markdown if format_ == "md" else line, chats)


def export(chats: Iterable[Chat], directory: Path, format_: Format, name: str = ALL_CHATS) -> Path:
    """Write *chats* to a new file in *directory* and return its path. Raises TransferError and StoreError."""
    return write_new(directory, name, f".{format_}", texts(chats, format_))


def file_name(title: str) -> str:
    """Return a name for the file of the conversation called *title* that every file system takes."""
    plain = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    words = "".join(letter if letter.isalnum() else " " for letter in plain).split()
    return "-".join(["claudine", *words])[:60].rstrip("-") if words else "claudine-chat"


def write_new(directory: Path, stem: str, suffix: str, pieces: Iterable[str]) -> Path:
    """Write *pieces* to the file STEM.SUFFIX in *directory*, or STEM-2.SUFFIX and so on if there is one already.

    The name is there when everything is on the disk under it, and not before. Raises TransferError.
    """
    part = directory / f".{os.urandom(8).hex()}.part"
    try:
        try:
            with part.open("x", encoding="utf-8", newline="") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            path = _reserved(directory, stem, suffix)
            put_in_place(part, path)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise TransferError(voice.NO_ROOM_THERE) from error
        raise TransferError(voice.CANNOT_WRITE.format(reason=error.strerror or error)) from error
    return path


def take_in(store: Store, path: Path) -> TakenIn:
    """Add the conversations in a file of JSON lines, each whole or not at all. Raises TransferError.

    What is no file is not read: on a stick, it could be a pipe that nobody ever writes to.
    """
    try:
        if path.exists() and not path.is_file():
            raise TransferError(voice.CANNOT_READ.format(reason=voice.NO_FILE))
        with path.open("rb") as file:
            return take_in_lines(store, file)
    except OSError as error:
        raise TransferError(voice.CANNOT_READ.format(reason=error.strerror or error)) from error


def take_in_lines(store: Store, file: BinaryIO) -> TakenIn:
    """Do the same with an open file. Ends early where going on makes no sense; the last fault says so."""
    counts: Counter[str] = Counter()
    failed = False
    faults: list[Fault] = []
    for number, content in enumerate(iter(lambda: file.readline(_LONGEST_LINE_BYTES), b""), 1):
        try:
            if len(content) == _LONGEST_LINE_BYTES:
                faults.append(Fault(number, voice.LINE_TOO_LONG))
                break
            if content := content.removeprefix(b"\xef\xbb\xbf").strip():
                counts[store.add(parse(content))] += 1
        except (LineError, BelongsElsewhereError) as error:
            faults.append(Fault(number, str(error)))
            if len(faults) == _MOST_FAULTS:
                break
        except StoreError as failure:
            faults.append(Fault(number, str(failure)))
            failed = True
            break
    return TakenIn(counts["new"], counts["extended"], counts["known"], failed, tuple(faults))


def _reserved(directory: Path, stem: str, suffix: str) -> Path:
    """Make an empty file with the first name that is free: FAT has no other way to rename without overwriting."""
    for number in range(1, _MOST_SAME_NAMES):
        path = directory / (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}")
        try:
            path.open("x").close()
        except FileExistsError:
            continue
        return path
    raise TransferError(voice.TOO_MANY_NAMES)
