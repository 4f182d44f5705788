"""The service that looks after models: one connection for each request, answered by lines of JSON; the last is the end.

    models = ModelsService("/run/claudine-models/control.sock")
    models.shelf()                      → Shelf(models=(Model(id="smollm2-135m_1", …),), free_bytes=…, memory_bytes=…)
    models.use("phi_2", None, say, stop)
    models.fate()                       → Fate(model="smollm2-135m_1", result="running", backend="CPU", …)

Everything raises StateError; what a person stops raises StoppedError. *say* hears of each step and its per cent, None
where nobody can know.
"""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claudine.answer import Trouble
from claudine.face import StoppedError
from claudine.state import NoServiceError, StateError
from claudine.stop import Stop
from claudine.text import one_line
from claudine.voice import models as voice

Say = Callable[[str, int | None], None]

# A question is answered at once, by a Python that may be slow to start.
_ANSWER_S = 120.0
# Work is told of as it goes on, but a large model's first word, for which the service waits ten minutes.
_SILENCE_S = 660.0
# What the image was made to compute with: a word, cpu or vulkan.
_WANTED = Path("/usr/share/claudine/gpu")
_LONGEST_LINE = 1024 * 1024


@dataclass(frozen=True)
class Model:
    """A model that is here. *place* is ``image`` or ``disk``; *problem* is empty, or why it cannot be used.

    *context_tokens* is what it would get on this machine, and *memory_bytes* what it needs with that.
    """

    id: str
    title: str
    licence: str
    weights_bytes: int
    place: str
    memory_bytes: int
    context_tokens: int
    fits: bool
    in_use: bool
    problem: str


@dataclass(frozen=True)
class Shelf:
    """All models, the room for more on the disk, and the memory that a model may have."""

    models: tuple[Model, ...]
    free_bytes: int
    memory_bytes: int


@dataclass(frozen=True)
class Fate:
    """How the model in use fares; *wanted* is what the image was made for, ``cpu`` or ``vulkan``."""

    model: str
    result: str
    backend: str
    device: str
    wanted: str
    context_tokens: int
    threads: int

    @property
    def fell_back(self) -> bool:
        """Say whether the processor computes what graphics should."""
        return self.result == "running" and self.wanted == "vulkan" and self.backend == "CPU"


@dataclass(frozen=True)
class Digest:
    """What the weights are, as they are read from the model's image, and who signed that image."""

    sha256: str
    root_hash: str
    signer: str
    signer_sha256: str


class ModelsService:
    """The service that listens at *path*."""

    def __init__(self, path: str) -> None:
        self.path = path

    @classmethod
    def beside(cls, state_socket: str) -> "ModelsService":
        """Return the one of the machine whose state service has this socket."""
        return cls(str(Path(state_socket).parent.with_name("claudine-models") / "control.sock"))

    def shelf(self) -> Shelf:
        """Ask for all models."""
        answer = self._ask({"request": "models"})
        with _reading():
            models = tuple(_model(row) for row in answer["models"])
            return Shelf(models, int(answer["free_bytes"]), int(answer["memory_bytes"]))

    def fate(self) -> Fate:
        """Ask how the model in use fares."""
        answer = self._ask({"request": "runtime"})
        with _reading():
            return Fate(
                model=one_line(str(answer["model"])),
                result=str(answer["result"]),
                backend=one_line(str(answer["backend"])),
                device=one_line(str(answer["device"])),
                wanted=str(answer["wanted"]),
                context_tokens=int(answer["context_tokens"]),
                threads=int(answer["threads"]),
            )

    def fate_if_known(self) -> Fate | None:
        """Ask the same, where it is no matter if nobody can say."""
        try:
            return self.fate()
        except StateError:
            return None

    def trouble(self) -> Trouble | None:
        """Say why no model answers; None where it only takes its time, or nobody can say."""
        fate = self.fate_if_known()
        sentence = voice.trouble(fate.result, fate.model) if fate else ""
        return Trouble(sentence, out_of_memory=fate.result == "oom") if fate and sentence else None

    def warning(self, wanted: Path = _WANTED) -> str:
        """Say that a model runs on less than the image was made for; empty if it does not, or nobody can say."""
        try:
            # Nobody need be asked where there is nothing to fall back from.
            return voice.FELL_BACK if wanted.read_text().strip() == "vulkan" and self.fate().fell_back else ""
        except (StateError, OSError):
            return ""

    def use(self, model: str, context_tokens: int | None, say: Say, stop: Stop) -> None:
        """Change to *model*; the one in use goes on until that one has answered, if both fit."""
        self._ask({"request": "use-model", "model": model, "context_tokens": context_tokens}, say, stop)

    def add(self, path: str, say: Say, stop: Stop) -> str:
        """Copy a model's image from the open stick, and return the model's id."""
        return one_line(str(self._ask({"request": "add-model", "path": path}, say, stop).get("model")))

    def remove(self, model: str) -> None:
        """Delete a model that was added."""
        self._ask({"request": "remove-model", "model": model})

    def digest(self, model: str, say: Say) -> Digest:
        """Have the weights of *model*, which is in use, read to their end."""
        answer = self._ask({"request": "hash", "model": model}, say)
        with _reading():
            signer = answer["signer"] or {"subject": "", "sha256": ""}
            words = (answer["sha256"], answer["root_hash"], signer["subject"], signer["sha256"])
            return Digest(*(one_line(str(word)) for word in words))

    def _ask(self, request: dict[str, Any], say: Say | None = None, stop: Stop | None = None) -> dict[str, Any]:
        for line in self._lines(json.dumps(request).encode() + b"\n", stop):
            if "error" in line:
                raise StateError(one_line(str(line["error"])))
            if line.get("done") is True:
                return line
            if say:
                percent = line.get("percent")
                say(str(line.get("step")), percent if isinstance(percent, int) else None)
        if stop is not None and stop.pressed:
            raise StoppedError
        raise StateError(voice.BROKE_OFF)

    def _lines(self, request: bytes, stop: Stop | None) -> Iterator[dict[str, Any]]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_ANSWER_S if stop is None else _SILENCE_S)
                connection.connect(self.path)
                if stop is not None:
                    stop.hold(connection)
                # Who has refused already and hung up has said why all the same.
                with suppress(BrokenPipeError):
                    connection.sendall(request)
                with connection.makefile("rb") as lines:
                    while line := lines.readline(_LONGEST_LINE):
                        yield _object(line)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NoServiceError(voice.ABSENT.format(path=self.path)) from error
        except TimeoutError as error:
            raise StateError(voice.SILENT) from error
        except OSError as error:
            if stop is not None and stop.pressed:
                raise StoppedError from error
            raise StateError(voice.UNREACHABLE.format(reason=error.strerror or error)) from error


@contextmanager
def _reading() -> Iterator[None]:
    """In the block, an answer that lacks something is one that cannot be read."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(voice.UNREADABLE) from error


def _object(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise StateError(voice.UNREADABLE) from error
    if not isinstance(answer, dict):
        raise StateError(voice.UNREADABLE)
    return answer


def _model(row: dict[str, Any]) -> Model:
    id_ = one_line(str(row["id"]))
    return Model(
        id=id_,
        # What cannot be looked into is called by its file.
        title=one_line(str(row["title"])) or id_,
        licence=one_line(str(row["licence"])),
        weights_bytes=int(row["weights_bytes"]),
        place=str(row["place"]),
        memory_bytes=int(row["memory_bytes"]),
        context_tokens=int(row["context_tokens"]),
        fits=row["fits"] is True,
        in_use=row["in_use"] is True,
        problem=one_line(str(row["problem"] or "")),
    )
