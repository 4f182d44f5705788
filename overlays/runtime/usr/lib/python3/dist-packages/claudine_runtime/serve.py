"""The socket through which the client asks about models: one request a connection, answered by lines of JSON.

    {"request": "models"}        → {"done": true, "models": [{"id": …, "fits": true, "in_use": true, "problem": null,
                                    …}], "free_bytes": …, "memory_bytes": …}
    {"request": "runtime"}       → {"done": true, "unit": …, "model": …, "result": "running", "backend": "CPU", …}
    {"request": "use-model", "model": ID, "context_tokens": 2048 or null}
                                 → {"step": "starting"|"loading"|"answering", "percent": 40 or null} …, {"done": true}
    {"request": "add-model", "path": "models/x.raw"}, of the opened stick
                                 → {"step": "checking"|"copying"|"verifying", "percent": …} …,
                                   {"done": true, "model": ID}
    {"request": "remove-model", "model": ID} → {"done": true}
    {"request": "hash", "model": ID}, which is in use
                                 → {"step": "hashing", "percent": …} …, {"done": true, "sha256": …, "root_hash": …,
                                    "signer": {"subject": …, "sha256": …} or null}
    anything else, or refused    → {"error": "one sentence"}

The last line has "done" or "error". Whoever hangs up before has changed their mind: what was begun is undone. The other
end is not trusted.
"""

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict

from claudine_runtime import stock, use
from claudine_runtime.ddi import ImageError
from claudine_runtime.plan import LEAST_TOKENS
from claudine_runtime.shelf import Shelf, available_bytes, list_models
from claudine_runtime.unit import describe
from claudine_runtime.weights import WeightsError, hash_weights
from claudine_state.request import RequestError, read_line
from claudine_state.run import CommandError

Answer = Mapping[str, object]
Tell = use.Tell


class HungUpError(Exception):
    """Nobody waits for the answer any more."""


def serve(shelf: Shelf, source: int = 0, target: int = 1) -> None:
    """Answer the one request that comes from *source*, to *target*."""
    try:
        try:
            handler, arguments, changes = _parse(read_line(source))
            with _lock(shelf) if changes else nullcontext():
                answer = handler(shelf, arguments, _teller(target))
            _send(target, {"done": True, **answer})
        except (RequestError, use.UseError, stock.StockError, WeightsError, ImageError, CommandError, OSError) as error:
            print(f"{error} ({error.__cause__})" if error.__cause__ else error, file=sys.stderr)
            _send(target, {"error": str(error)})
    except HungUpError as error:
        print(f"The other end did not wait for its answer: {error}", file=sys.stderr)


def _models(shelf: Shelf, arguments: Answer, tell: Tell) -> Answer:
    models = [asdict(model) for model in list_models(shelf)]
    return {"models": models, "free_bytes": shelf.free_bytes(), "memory_bytes": available_bytes(shelf)}


def _runtime(shelf: Shelf, arguments: Answer, tell: Tell) -> Answer:
    return asdict(describe(shelf))


def _use_model(shelf: Shelf, arguments: Answer, tell: Tell) -> Answer:
    model, wish = arguments.get("model"), arguments.get("context_tokens")
    if not isinstance(model, str) or not (wish is None or (isinstance(wish, int) and not isinstance(wish, bool))):
        raise RequestError('use-model takes "model" and "context_tokens".')
    if wish is not None and wish < LEAST_TOKENS:
        raise RequestError(f"A conversation needs {LEAST_TOKENS} tokens at least.")
    use.use_model(shelf, model, wish, tell)
    return {}


def _add_model(shelf: Shelf, arguments: Answer, tell: Tell) -> Answer:
    return {"model": stock.add_model(shelf, _word(arguments, "path"), tell)}


def _remove_model(shelf: Shelf, arguments: Answer, tell: Tell) -> Answer:
    stock.remove_model(shelf, _word(arguments, "model"))
    return {}


def _hash(shelf: Shelf, arguments: Answer, tell: Tell) -> Answer:
    return hash_weights(shelf, _word(arguments, "model"), lambda percent: tell("hashing", percent))


Handler = Callable[[Shelf, Answer, Tell], Answer]
# What each takes beside its name, and whether it changes something, which one does at a time.
_REQUESTS: dict[str, tuple[Handler, frozenset[str], bool]] = {
    "models": (_models, frozenset(), False),
    "runtime": (_runtime, frozenset(), False),
    "use-model": (_use_model, frozenset({"model", "context_tokens"}), True),
    "add-model": (_add_model, frozenset({"path"}), True),
    "remove-model": (_remove_model, frozenset({"model"}), True),
    "hash": (_hash, frozenset({"model"}), False),
}


def _parse(line: bytes) -> tuple[Handler, Answer, bool]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RequestError("The request is not JSON.") from error
    name = request.get("request") if isinstance(request, dict) else None
    if not isinstance(name, str) or name not in _REQUESTS:
        raise RequestError(f"The request is none that I know: {', '.join(_REQUESTS)}.")
    handler, takes, changes = _REQUESTS[name]
    if set(request) != takes | {"request"}:
        raise RequestError(f"{name} takes {' and '.join(sorted(takes)) or 'nothing'}.")
    return handler, request, changes


def _word(arguments: Answer, name: str) -> str:
    word = arguments.get(name)
    if not isinstance(word, str):
        raise RequestError(f'"{name}" is no text.')
    return word


def _teller(target: int) -> Tell:
    told: list[Answer] = []

    def tell(step: str, percent: int | None) -> None:
        line = {"step": step, "percent": percent}
        # The same again only where it shows that somebody is still there.
        if percent is None or told[-1:] != [line]:
            told[:] = [line]
            _send(target, line)

    return tell


def _send(target: int, line: Answer) -> None:
    data = json.dumps(line).encode() + b"\n"
    try:
        while data:
            data = data[os.write(target, data) :]
    except OSError as error:
        raise HungUpError(str(error)) from error


@contextmanager
def _lock(shelf: Shelf) -> Iterator[None]:
    descriptor = os.open(shelf.run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RequestError("My models are being changed from another screen.") from error
        yield
    finally:
        os.close(descriptor)
