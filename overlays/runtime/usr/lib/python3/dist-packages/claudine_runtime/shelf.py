"""The models that are here: the image's own in its partition, and others as files on the encrypted disk.

    for model in list_models(Shelf()):
        print(model.id, model.fits, model.problem)

What is in an image is read with the kernel in between: ``claudine-model@.service`` mounts it as the server would, and
writes its model.json out. So nothing that a stick brings is parsed before its signature was checked.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from claudine_runtime.ddi import ImageError, ModelImage, read_image
from claudine_runtime.launch import owner_wish, profile_wish
from claudine_runtime.machine import total_memory_bytes
from claudine_runtime.plan import LEAST_TOKENS, REST_BYTES, Needs, choose_context, read_needs
from claudine_state.host import Host
from claudine_state.run import CommandError
from claudine_state.signer import DB
from claudine_state.text import printable

# What may stand in a unit's name, and in a socket's path, which has at most 107 bytes (unix(7)).
MODEL_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}_[0-9A-Za-z][0-9A-Za-z.-]{0,19}", re.ASCII)
# For conversations, which share the disk.
_KEPT_FREE_BYTES = 256 << 20
_RECORD_BYTES = 64 * 1024
_SUFFIX = ".raw"


@dataclass(frozen=True)
class Shelf:
    """Where models are on this machine, or on a simulated one."""

    host: Host = field(default_factory=Host)
    memory_bytes: int = field(default_factory=total_memory_bytes)
    poll_s: float = 0.5

    @property
    def disk(self) -> Path:
        """The folder of the models that were added."""
        return self.host.root / "var/lib/claudine-models"

    @property
    def run(self) -> Path:
        """What is decided about models, in memory."""
        return self.host.root / "run/claudine-models"

    @property
    def link(self) -> Path:
        """The link whose target names the model in use."""
        return self.host.root / "run/claudine-runtime/llama.sock"

    def socket(self, model: str) -> Path:
        """Where the server of a model listens."""
        return self.link.parent / model / "llama.sock"

    def in_use(self) -> str:
        """Return the model that the client talks to."""
        return self.link.readlink().parent.name

    def built_in(self) -> str:
        """Return the image's own model."""
        return str(json.loads((self.host.root / "usr/share/claudine/model.json").read_bytes())["id"])

    def place(self, model: str) -> Path:
        """Return the file or partition of a model, which need not exist."""
        if model == self.built_in():
            return self.host.root / f"dev/disk/claudine-model_{model}"
        return self.disk / f"{model}{_SUFFIX}"

    def has(self, model: str) -> bool:
        """Say whether *model*, which somebody has asked for, is one that is here."""
        return model in self.ids()

    def ids(self) -> list[str]:
        """Return all models, the image's own first."""
        names = (path.name.removesuffix(_SUFFIX) for path in sorted(self.disk.glob(f"*{_SUFFIX}")))
        own = self.built_in()
        return [own, *(name for name in names if MODEL_ID.fullmatch(name) and name != own)]

    def free_bytes(self) -> int:
        """Return how large a model can be added."""
        sizes = os.statvfs(self.disk)
        return max(0, sizes.f_bavail * sizes.f_frsize - _KEPT_FREE_BYTES)

    def chosen_context(self, model: str) -> int | None:
        """Return the shorter conversation that the owner has chosen for a model, if any."""
        try:
            text = (self.run / f"{model}.env").read_text()
        except OSError:
            return None
        return owner_wish(text.strip().removeprefix("CLAUDINE_CONTEXT="))

    def choose_context(self, needs: Needs, wish: int | None) -> int:
        """Return what the server would choose, with the owner's *wish*."""
        return choose_context(needs, self.memory_bytes, profile_wish(f"{self.host.root}/"), wish)


@dataclass(frozen=True)
class Record:
    """What a model says of itself: the model.json in its image."""

    name: str
    version: str
    title: str
    licence: str
    sha256: str
    needs: Needs

    @property
    def id(self) -> str:
        """The name that the model has on any machine."""
        return f"{self.name}_{self.version}"


@dataclass(frozen=True)
class Model:
    """A row of the list; see *models* in ``claudine_runtime.serve``."""

    id: str
    name: str
    version: str
    title: str
    licence: str
    weights_bytes: int
    place: str
    memory_bytes: int
    context_tokens: int
    fits: bool
    in_use: bool
    problem: str | None


def list_models(shelf: Shelf) -> Iterator[Model]:
    """Look at each image; one that cannot be used is listed with its problem."""
    in_use = shelf.in_use()
    for model in shelf.ids():
        problem, record = None, None
        try:
            record = read_model(shelf, model)
        except ImageError as error:
            print(f"{model}: {error}", file=sys.stderr)
            problem = error.problem
        yield _row(shelf, model, record, problem, in_use=model == in_use)


def examine(shelf: Shelf, path: Path) -> ModelImage:
    """Read what an image is, and who signed it. Raises ImageError."""
    try:
        with path.open("rb") as file:
            return read_image(file, (shelf.host.root / DB).read_bytes())
    except FileNotFoundError as error:
        raise ImageError("unreadable", f"there is no {path.name}") from error
    except OSError as error:
        raise ImageError("changed", f"it cannot be read: {error.strerror}") from error


def read_model(shelf: Shelf, model: str) -> Record:
    """Return what a model says of itself, when its signature is the owner's. Raises ImageError."""
    examine(shelf, shelf.place(model))
    record = look_into(shelf, model, shelf.place(model))
    if record.id != model:
        raise ImageError("changed", f"it is {record.id} by its own word")
    return record


def look_into(shelf: Shelf, name: str, path: Path) -> Record:
    """Return what the image at *path* says of itself, looking once for each *name*. Raises ImageError."""
    written = shelf.run / f"{name}.json"
    if not written.exists():
        _have_it_written(shelf, name, path)
    try:
        with written.open("rb") as file:
            return read_record(json.loads(file.read(_RECORD_BYTES)))
    except (OSError, ValueError, RecursionError) as error:
        written.unlink(missing_ok=True)
        raise ImageError("unreadable", f"its model.json: {error}") from error


def forget(shelf: Shelf, name: str) -> None:
    """Look anew the next time."""
    for suffix in (".json", _SUFFIX, ".env"):
        (shelf.run / f"{name}{suffix}").unlink(missing_ok=True)


def read_record(document: object) -> Record:
    """Take what a model.json says. Raises ValueError."""
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    words = [document.get(key) for key in ("name", "version", "title", "licence", "sha256")]
    if not all(isinstance(word, str) for word in words):
        raise ValueError("it does not say what it is")
    name, version, title, licence, sha256 = (printable(str(word)) for word in words)
    record = Record(name, version, title, licence, sha256, read_needs(document))
    if not MODEL_ID.fullmatch(record.id):
        raise ValueError(f"{record.id!r} is no name for a model")
    return record


def available_bytes(shelf: Shelf) -> int:
    """Return what all models together may have of the machine's memory."""
    return shelf.memory_bytes - REST_BYTES


def _have_it_written(shelf: Shelf, name: str, path: Path) -> None:
    link = shelf.run / f"{name}{_SUFFIX}"
    link.unlink(missing_ok=True)
    link.symlink_to(path)
    try:
        shelf.host.run(["systemctl", "start", f"claudine-model@{name}.service"])
    except CommandError as error:
        (shelf.run / f"{name}.json").unlink(missing_ok=True)
        raise ImageError("changed", f"the kernel does not accept it: {error}") from error
    finally:
        with suppress(FileNotFoundError):
            link.unlink()


def _row(shelf: Shelf, model: str, record: Record | None, problem: str | None, *, in_use: bool) -> Model:
    name, _, version = model.partition("_")
    place = "image" if model == shelf.built_in() else "disk"
    if record is None:
        return Model(model, name, version, model, "", 0, place, 0, 0, False, in_use, problem)
    tokens = shelf.choose_context(record.needs, shelf.chosen_context(model))
    return Model(
        model,
        name,
        version,
        record.title,
        record.licence,
        record.needs.weights_bytes,
        place,
        # Of one that does not fit, what it would need at least.
        record.needs.memory_bytes(tokens or LEAST_TOKENS),
        tokens,
        tokens > 0,
        in_use,
        problem,
    )
