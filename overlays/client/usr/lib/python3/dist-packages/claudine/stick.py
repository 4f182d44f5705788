"""The files of a stick that has been opened: nothing but what is on it, and no more of that than can be held.

    with closing(OpenStick("/run/claudine-stick/files")) as stick:
        stick.entries(())                      → [Entry("notes", is_folder=True, …), Entry("todo.txt", …)]
        stick.read(("notes", "today.txt"))     → "…"

A stick may hold anything: links to other places, pipes that nobody writes to, files of any size, folders without end.
So each name is opened in the folder that it was listed in, and never as a link. What goes wrong is a StickError or an
OSError.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from claudine.text import printable
from claudine.voice import size
from claudine.voice import stick as voice

# More than any context holds.
MOST_BYTES = 1024 * 1024
_MOST_ENTRIES = 2000
_MOST_BELOW = 500
_DEEPEST = 8
# Enough to tell text from anything else.
_HEAD_BYTES = 8192

_OPEN = os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | _OPEN
# A pipe would be waited for otherwise.
_FILE = os.O_RDONLY | os.O_NONBLOCK | _OPEN

# What FAT cannot have in a name, or Windows cannot open.
_ILLEGAL = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f-\x9f]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
# Of characters, which may take four bytes each; file systems take 255.
_LONGEST_NAME = 60

Place = tuple[str, ...]


class StickError(Exception):
    """Something on a stick that is not taken; ``str()`` is the sentence that says why."""


@dataclass(frozen=True)
class Entry:
    """A file or a folder, under the name that it has on the stick: not fit to be shown as it is."""

    name: str
    is_folder: bool
    size_bytes: int


@dataclass(frozen=True)
class Reading:
    """What was read: files with their texts, and how many others could not be."""

    files: tuple[tuple[str, str], ...]
    skipped: int = 0


class OpenStick:
    """The stick at *path*. As long as this is not closed, nobody can take it away."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._root = os.open(path, _FOLDER)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._root)

    def entries(self, place: Place) -> list[Entry]:
        """Return the folders and files in *place*, folders first. What is hidden or neither is left out."""
        with self._folder(place) as folder:
            return _entries(folder)

    def read(self, place: Place) -> str:
        """Return the text of one file."""
        return self._read(place, MOST_BYTES)

    def read_folder(self, place: Place) -> Reading:
        """Return the texts of the files in *place* and in the folders below it."""
        files: list[tuple[str, str]] = []
        skipped = 0
        left_bytes = MOST_BYTES
        for below in self._files_below(place):
            try:
                text = self._read((*place, *below), left_bytes)
            except _NotTextError:
                skipped += 1
                continue
            left_bytes -= len(text.encode())
            files.append((printable("/".join(below)), text))
        return Reading(tuple(files), skipped)

    def open(self, place: Place) -> BinaryIO:
        """Open one file for reading, for the caller to close."""
        with self._folder(place[:-1]) as folder:
            file = os.fdopen(os.open(place[-1], _FILE, dir_fd=folder), "rb")
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise _NotTextError(voice.NO_FILE.format(name=printable(place[-1])))
        return file

    @contextmanager
    def _folder(self, place: Place) -> Iterator[int]:
        descriptor = os.dup(self._root)
        try:
            for name in place:
                inner = os.open(name, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _read(self, place: Place, most_bytes: int) -> str:
        name = printable(place[-1])
        with self.open(place) as file:
            data = file.read(_HEAD_BYTES)
            size_bytes = os.fstat(file.fileno()).st_size
            # A photo is no text, however large it is.
            if size_bytes > most_bytes and b"\0" not in data:
                said = {"name": name, "size": size(size_bytes), "most": size(MOST_BYTES)}
                raise StickError(voice.TOO_LARGE.format(**said))
            data += file.read(most_bytes)
        if b"\0" in data:
            raise _NotTextError(voice.BINARY.format(name=name))
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise _NotTextError(voice.NOT_UTF_8.format(name=name, line=line)) from error
        return printable(text.replace("\r\n", "\n"))

    def _files_below(self, place: Place) -> list[Place]:
        """Return where the files below *place* are, seen from there. A damaged folder can have itself in it."""
        files: list[Place] = []
        folders: list[Place] = [()]
        for folder in folders:
            if len(folder) > _DEEPEST:
                raise StickError(voice.TOO_DEEP.format(most=_DEEPEST))
            for entry in self.entries((*place, *folder)):
                (folders if entry.is_folder else files).append((*folder, entry.name))
            if len(files) + len(folders) > _MOST_BELOW:
                raise StickError(voice.TOO_MANY.format(most=_MOST_BELOW))
        return files


class _NotTextError(StickError):
    """A file that is not text."""


def safe_name(name: str) -> str:
    """Return *name* as a file on every stick can have it: no folders, no control characters, not too long."""
    name = _ILLEGAL.sub("-", printable(name).replace("\n", " ").replace("\t", " ")).strip(" .-")
    stem, dot, extension = name.rpartition(".")
    if dot and len(extension) <= 8:
        name = f"{stem[: _LONGEST_NAME - len(extension) - 1].rstrip(' .')}.{extension}"
    name = name[:_LONGEST_NAME].rstrip(" .")
    return f"_{name}" if _RESERVED.fullmatch(name) else name or voice.NAMELESS


def _entries(folder: int) -> list[Entry]:
    found = []
    with os.scandir(folder) as listing:
        for entry in islice(listing, _MOST_ENTRIES):
            if entry.name.startswith(".") or entry.name == "System Volume Information":
                continue
            if entry.is_dir(follow_symlinks=False):
                found.append(Entry(entry.name, is_folder=True, size_bytes=0))
            elif entry.is_file(follow_symlinks=False):
                found.append(Entry(entry.name, is_folder=False, size_bytes=entry.stat(follow_symlinks=False).st_size))
    return sorted(found, key=lambda entry: (not entry.is_folder, entry.name.casefold()))
