"""Models that come from a stick, and go again. What is added is checked before it is copied, and the copy once more."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from claudine_runtime.choice import read_choice
from claudine_runtime.ddi import ImageError, ModelImage, read_image, verify
from claudine_runtime.shelf import Shelf, forget, look_into
from claudine_runtime.use import REASONS, Tell, too_large
from claudine_state.durable import replace_durably
from claudine_state.signer import DB
from claudine_state.sticks import MOUNT_POINT

# No model has this name: names have an underscore.
_COMING = "coming"
_BLOCK_BYTES = 1 << 20
_MIB = 1 << 20


class StockError(Exception):
    """A model that is neither added nor removed; ``str()`` is the sentence for the other end."""


def add_model(shelf: Shelf, name: str, tell: Tell) -> str:
    """Copy the image *name* (its path on the opened stick) to the disk, and return the model's id.

    Raises StockError, and what *tell* raises; then nothing of it is left.
    """
    target = shelf.disk / f"{_COMING}.new"
    forget(shelf, _COMING)
    try:
        with _opened(shelf, name) as source, _refusing():
            tell("checking", None)
            image, model, size_bytes = _check(shelf, source, _stick(shelf) / name)
            _copy(source, target, size_bytes, lambda percent: tell("copying", percent))
            with target.open("rb") as copy:
                verify(copy, image, lambda percent: tell("verifying", percent))
            replace_durably(target, shelf.place(model))
            return model
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StockError("My disk is full.") from error
        raise StockError(f"The image cannot be read from the stick: {error.strerror}.") from error
    finally:
        target.unlink(missing_ok=True)
        forget(shelf, _COMING)


def remove_model(shelf: Shelf, model: str) -> None:
    """Remove a model from the disk. Raises StockError."""
    if not shelf.has(model):
        raise StockError(f"There is no model {model}.")
    if model == shelf.built_in():
        raise StockError("It is part of the system, and stays.")
    chosen = read_choice(shelf)
    if model == shelf.in_use() or (chosen and model == chosen[0]):
        raise StockError("It is in use; choose another one first.")
    shelf.place(model).unlink()
    forget(shelf, model)


def _check(shelf: Shelf, source: IO[bytes], path: Path) -> tuple[ModelImage, str, int]:
    """Say what the image is: its signature first, what it says of itself second, room third."""
    image = read_image(source, (shelf.host.root / DB).read_bytes())
    record = look_into(shelf, _COMING, path)
    if shelf.has(record.id):
        raise StockError(f"{record.title} {record.version} is here already.")
    if not shelf.choose_context(record.needs, None):
        raise StockError(too_large(shelf, record.needs))
    size_bytes, free_bytes = source.seek(0, os.SEEK_END), shelf.free_bytes()
    if size_bytes > free_bytes:
        needed, free = -(-size_bytes // _MIB), free_bytes // _MIB
        raise StockError(f"There is too little room on my disk: it needs {needed} MiB, and {free} MiB are free.")
    return image, record.id, size_bytes


def _copy(source: IO[bytes], target: Path, size_bytes: int, on_percent: Callable[[int], None]) -> None:
    source.seek(0)
    done = 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while done < size_bytes and (data := source.read(min(_BLOCK_BYTES, size_bytes - done))):
            file.write(data)
            done += len(data)
            on_percent(100 * done // size_bytes)
        file.flush()
        os.fsync(file.fileno())
        # What is verified next comes from the disk, and not from memory.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _stick(shelf: Shelf) -> Path:
    return shelf.host.root / MOUNT_POINT.lstrip("/")


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except ImageError as error:
        sentence = "It is not a model image." if error.problem == "unreadable" else REASONS[error.problem]
        raise StockError(sentence) from error


@contextmanager
def _opened(shelf: Shelf, name: str) -> Iterator[IO[bytes]]:
    """Open a regular file of the stick, following nothing that leads out of it."""
    parts = name.split("/")
    if not name or any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise StockError("That is no file on the stick.")
    folder = os.open(_stick(shelf), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        # A pipe would keep us waiting.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(parts[-1], flags, dir_fd=folder)
    finally:
        os.close(folder)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StockError("That is no file on the stick.")
        yield file
