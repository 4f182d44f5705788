"""A directory of a FAT volume: entries of 32 bytes, one for each file, before it those of its long name.

Source: Microsoft's "FAT32 File System Specification" 1.03, sections 6 and 7.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from builder.verify.formats.malformed import MalformedError

ENTRY_BYTES = 32

_ENTRY = struct.Struct("<11sBBBHHHHHHHI")
_LONG = struct.Struct("<B10sBBB12sH4s")
_VOLUME_LABEL, _DIRECTORY, _ARCHIVE, _LONG_NAME = 0x08, 0x10, 0x20, 0x0F
_LAST_PART = 0x40
# In the byte behind the attributes: the name, or its extension, is meant in lower case.
_LOWER_NAME, _LOWER_EXTENSION = 0x08, 0x10

_SHORT_NAME = re.compile(rb"(\.|\.\.|[A-Z0-9_~-]+) *")
_SHORT_EXTENSION = re.compile(rb"([A-Z0-9_~-]*) *")
# systemd-repart gives the partition's volume the partition's label, in capitals.
_LABEL = b"ESP        "
# What our images need of long names, and no more.
_LONG_NAMES = re.compile(r"[A-Za-z0-9._+~-]{1,255}")


class Directory(Protocol):
    """What is read: a file that holds a directory."""

    @property
    def size_bytes(self) -> int:
        """Its length, with what is unused at its end."""

    def read(self, offset: int, size: int) -> bytes:
        """Return exactly these bytes."""

    def position(self, offset: int) -> int:
        """Return where a byte is in the volume."""


@dataclass(frozen=True)
class Entry:
    """A name; `offset` is where it stands in the volume, `moments` are the times that it says.

    A firmware that has written into a directory marks it as to be archived; mtools does not.
    """

    name: str
    is_directory: bool
    cluster: int
    size_bytes: int
    moments: frozenset[datetime]
    is_marked: bool
    offset: int


@dataclass(frozen=True)
class Listing:
    """What a directory lists, but itself and its parent; the times that these say; how many of its bytes are used."""

    entries: tuple[Entry, ...]
    moments: frozenset[datetime]
    used_bytes: int


def list_directory(directory: Directory, own: int, parent: int | None) -> Listing:
    """Read a directory. `own` and `parent` are its first cluster and that of the one above it: None in the root, 0 if
    that is the root.
    """
    data = directory.read(0, directory.size_bytes)
    used = next((at for at in range(0, len(data), ENTRY_BYTES) if not data[at]), len(data))
    entries: list[Entry] = []
    moments: set[datetime] = set()
    parts: list[bytes] = []
    for at in range(0, used, ENTRY_BYTES):
        raw, offset = data[at : at + ENTRY_BYTES], directory.position(at)
        if raw[11] == _LONG_NAME:
            parts.append(raw)
            continue
        if raw[11] == _VOLUME_LABEL and parent is None and at == 0:
            _check_label(raw, offset)
            moments.update(_moments(raw, offset))
            continue
        entries.append(_entry(raw, parts, offset))
        parts = []
    if parts:
        raise MalformedError("a long name without a file", directory.position(used - ENTRY_BYTES))
    if parent is not None:
        links = [(entry.name, entry.is_directory, entry.is_marked, entry.cluster) for entry in entries[:2]]
        if links != [(".", True, False, own), ("..", True, False, parent)]:
            raise MalformedError("a directory that does not begin with itself and its parent", directory.position(0))
        moments.update(*(entry.moments for entry in entries[:2]))
        del entries[:2]
    return Listing(tuple(entries), frozenset(moments), used)


def _entry(raw: bytes, parts: list[bytes], offset: int) -> Entry:
    short, attributes, case, *_times, high, _modified, _day, low, size = _ENTRY.unpack(raw)
    if attributes not in (_DIRECTORY, _DIRECTORY | _ARCHIVE, _ARCHIVE):
        raise MalformedError(f"an entry with attributes {attributes:#x}, deleted or hidden", offset)
    # In what case a short name is meant says nothing where there is a long one.
    name = _short_name(short, 0 if parts else case, offset)
    if parts and case:
        raise MalformedError("a long name with a mark for the short one", offset)
    if parts:
        name = _long_name(parts, short, offset)
    is_directory = bool(attributes & _DIRECTORY)
    if is_directory and size:
        raise MalformedError("a directory with a size", offset)
    is_marked = is_directory and bool(attributes & _ARCHIVE)
    return Entry(name, is_directory, high << 16 | low, size, frozenset(_moments(raw, offset)), is_marked, offset)


def _check_label(raw: bytes, offset: int) -> None:
    """A label is an entry without a file."""
    name, _, case, *_times, high, _modified, _day, low, size = _ENTRY.unpack(raw)
    if name != _LABEL or case or high or low or size:
        raise MalformedError(f"the label {name!r}, or a file with it", offset)


def _short_name(raw: bytes, case: int, offset: int) -> str:
    name, extension = _SHORT_NAME.fullmatch(raw[:8]), _SHORT_EXTENSION.fullmatch(raw[8:])
    if not name or not extension or case & ~(_LOWER_NAME | _LOWER_EXTENSION):
        raise MalformedError(f"a short name that no image has: {raw!r}", offset)
    before, behind = (
        _in_case(part[1].decode(), case & lower, offset)
        for part, lower in ((name, _LOWER_NAME), (extension, _LOWER_EXTENSION))
    )
    return f"{before}.{behind}" if behind else before


def _in_case(text: str, is_lower: int, offset: int) -> str:
    if is_lower and text == text.lower():
        raise MalformedError("a mark for lower case without a letter", offset)
    return text.lower() if is_lower else text


def _long_name(parts: list[bytes], short: bytes, offset: int) -> str:
    """Join the parts of a long name, which stand in reverse order before its short one."""
    checksum = 0
    for byte in short:
        checksum = ((checksum >> 1) + ((checksum & 1) << 7) + byte) & 0xFF
    units = b""
    for number, raw in enumerate(reversed(parts), 1):
        order, first, _attributes, kind, sum_of_short, second, cluster, third = _LONG.unpack(raw)
        expected = number | (_LAST_PART if number == len(parts) else 0)
        if (order, kind, sum_of_short, cluster) != (expected, 0, checksum, 0):
            raise MalformedError("a long name that does not belong to the short one", offset)
        units += first + second + third
    text, _, padding = units.decode("utf-16-le", errors="replace").partition("\0")
    # A name that fills its last part has no end; a part more than the name needs would be a place to hide something.
    if not _LONG_NAMES.fullmatch(text) or padding.strip("\uffff") or len(units) // 2 - len(text) > 13 - bool(padding):
        raise MalformedError(f"a long name that no image has: {text!r}", offset)
    return text


def _moments(raw: bytes, offset: int) -> Iterator[datetime]:
    """Return the three times of an entry. No more is stored of the last use than the day."""
    _, _, _, tenths, created, created_day, used_day, _, modified, modified_day, _, _ = _ENTRY.unpack(raw)
    try:
        found = [_moment(created_day, created), _moment(used_day, 0), _moment(modified_day, modified)]
    except ValueError as error:
        raise MalformedError(f"a time that is none: {error}", offset) from None
    if tenths:
        raise MalformedError("a time between two seconds", offset)
    yield from found


def _moment(day: int, time: int) -> datetime:
    return datetime(1980 + (day >> 9), day >> 5 & 15, day & 31, time >> 11, time >> 5 & 63, (time & 31) * 2)
