"""The model image in its partition: a disk image of its own, for which the same claims are tried as for the system.

Beyond these, its weights are those that it names, and that the record of the build names.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from builder import log
from builder.model.ddi import DESCRIPTION, WEIGHTS
from builder.profile.catalogue import LABEL_PREFIX
from builder.verify import ids
from builder.verify.claim import DISK, Claim, Trial
from builder.verify.claims import gpt, root_hash, root_signature
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding
from builder.verify.formats.erofs import find_file
from builder.verify.formats.gpt import SECTOR_BYTES
from builder.verify.formats.malformed import MalformedError
from builder.verify.formats.verity import BLOCK_BYTES
from builder.verify.layout import MODEL, MODEL_IMAGE, ROOT

TABLE = replace(
    gpt.CLAIM,
    id="model-gpt",
    expected="two whole and equal partition tables of the model that the partition is labelled with, and zeroes around",
    proves="The model's image has its three parts, and nothing is hidden beside them.",
    fails="The model's image is damaged, or there is something in its partition that does not belong there.",
)
TREE = replace(
    root_hash.CLAIM,
    id="model-root-hash",
    proves="The model's root hash stands for every byte of the model.",
    fails="The model is not the one that its root hash stands for; a machine does not load it.",
)
SIGNED = replace(
    root_signature.CLAIM,
    id="model-root-signature",
    proves="Who holds the owner's key has signed exactly this model.",
    fails="It is not shown that the owner signed this model, and a machine with the owner's keys does not load it.",
)
MODEL_WEIGHTS = Claim(
    "model-weights",
    expected="weights with the SHA-256 that the image and the record of the build name",
    proves="The weights are the file that was chosen, to the last byte.",
    fails="The weights are other ones than the image, or its record, says.",
)

_MAX_DESCRIPTION_BYTES = 1 << 20


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try all claims about the model."""
    title, place = DISK, disk
    try:
        partition = disk.partition(MODEL)
        title, place = "model", disk.part(partition)
        image = _image_in(place)
    except MalformedError as error:
        for claim in (TABLE, TREE, SIGNED, MODEL_WEIGHTS):
            trial = Trial(claim, place, title)
            trial.wrong(error.what, error.offset)
            yield from trial.broken
        return
    yield from _check_table(place, image, partition.label.removeprefix(LABEL_PREFIX))
    yield from root_hash.check_tree(TREE, image, ids.model_seed, "model")
    yield from root_signature.check_signature(SIGNED, image, context, "model")
    yield from _check_weights(image, context.record)


def _image_in(partition: Disk) -> Disk:
    """Return the disk image in the partition, by its own table: the partition has whole blocks, and may be longer."""
    image = replace(partition, size_bytes=(partition.table.header.other + 1) * SECTOR_BYTES)
    if not partition.size_bytes - BLOCK_BYTES < image.size_bytes <= partition.size_bytes:
        raise MalformedError("an image of another length than its partition", 0)
    return image


def _check_table(outer: Disk, image: Disk, name: str) -> Iterator[Finding]:
    trial = Trial(TABLE, outer, "model")
    with trial.trying():
        trial.check_zero(image.size_bytes, outer.size_bytes - image.size_bytes, "data behind the image")
        for partition in image.table.partitions:
            if partition.type == ROOT and partition.label != name:
                trial.wrong(f"the model {partition.label}", partition.offset_bytes, f"the model {name}")
    yield from trial.broken or gpt.check_table(TABLE, image, MODEL_IMAGE, ids.model_seed, "model")


def _check_weights(image: Disk, record: dict[str, Any] | None) -> Iterator[Finding]:
    trial, found = Trial(MODEL_WEIGHTS, image, "model"), ""
    with trial.trying():
        trial = trial.within(image.partition(ROOT))
    with trial.trying():
        found = "" if trial.broken else _compare_weights(trial, record)
    yield from trial.findings(found)


def _compare_weights(trial: Trial, record: dict[str, Any] | None) -> str:
    described = _description(trial.disk)
    found = _sha256_of(trial.disk, WEIGHTS)
    if found != described:
        trial.wrong(f"weights with the SHA-256 {found}", 0, f"{described}, as {DESCRIPTION} says")
    recorded = _recorded(record)
    if recorded not in (None, found):
        trial.wrong(f"weights with the SHA-256 {found}", 0, f"{recorded}, as the record of the build says")
    return f"{WEIGHTS} with the SHA-256 {found}"


def _description(root: Disk) -> str:
    """Return the SHA-256 of the weights by what the image says of itself."""
    file = find_file(root.read, DESCRIPTION)
    if file.size_bytes > _MAX_DESCRIPTION_BYTES:
        raise MalformedError(f"a {DESCRIPTION} of {file.size_bytes} bytes", 0)
    try:
        return str(json.loads(b"".join(root.read(offset, size) for offset, size in file.spans))["sha256"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MalformedError(f"a {DESCRIPTION} that names no SHA-256", 0) from None


def _sha256_of(root: Disk, name: str) -> str:
    file = find_file(root.read, name)
    digest = hashlib.sha256()
    with log.progress(f"Reading {name}", file.size_bytes) as advance:
        for offset, size in file.spans:
            for chunk in root.chunks(offset, size):
                digest.update(chunk)
                advance(len(chunk))
    return digest.hexdigest()


def _recorded(record: dict[str, Any] | None) -> str | None:
    model = (record or {}).get("model")
    return str(model.get("weights_sha256")) if isinstance(model, dict) else None
