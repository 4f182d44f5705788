"""The SHA-256 of the weights that are in use, computed from the file that the server itself has open."""

import hashlib
from collections.abc import Callable, Mapping

from claudine_runtime.shelf import Shelf, examine
from claudine_runtime.unit import process, show

_BLOCK_BYTES = 1 << 20


class WeightsError(Exception):
    """Weights that cannot be hashed; ``str()`` is the sentence for the other end."""


def hash_weights(shelf: Shelf, model: str, on_percent: Callable[[int], None]) -> Mapping[str, object]:
    """Read the mounted weights of *model* to their end. Raises WeightsError, and ImageError where it has no signature.

    The mount is the server's: nobody else has one, and it is what the server read its weights from.
    """
    if model != shelf.in_use():
        raise WeightsError(f"{model} is not the model in use.")
    number = process(show(shelf, model))
    if not number:
        raise WeightsError("The model does not run.")
    image = examine(shelf, shelf.place(model))
    digest = hashlib.sha256()
    done = 0
    try:
        with (shelf.host.root / f"proc/{number}/root/run/model/model.gguf").open("rb", buffering=0) as file:
            size_bytes = max(1, file.seek(0, 2))
            file.seek(0)
            while data := file.read(_BLOCK_BYTES):
                digest.update(data)
                done += len(data)
                on_percent(100 * done // size_bytes)
    except OSError as error:
        raise WeightsError(f"The weights cannot be read: {error.strerror}.") from error
    signer = {"subject": image.signer.subject, "sha256": image.signer.sha256}
    return {"sha256": digest.hexdigest(), "root_hash": image.root_hash, "signer": signer}
