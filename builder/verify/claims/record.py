"""The record of the build: it is about this image, and every file beside it is the one that it names."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from builder.verify.boot import open_esp
from builder.verify.claim import Claim, Trial
from builder.verify.claims.root_hash import named_root_hash
from builder.verify.context import RECORD, Context
from builder.verify.disk import CHUNK_BYTES, Disk
from builder.verify.evidence import Finding
from builder.verify.layout import ESP, STATE

CLAIM = Claim(
    "record",
    expected="a record that names the root hash and the partitions of this image",
    proves="What lies beside the image is about this image.",
    fails="What lies beside the image, if anything, is about another one.",
)

_PROVES = "It is the file that the record of the build names."
_FAILS = "It is missing, or not the file that the record of the build names: what it says is not about this image."
# What a build leaves beside the image, by how the names end. Those that are needed have to be there.
_NEEDED = {".cdx.json": "sbom", ".manifest": "manifest", "absence.json": "absence", ".lock": "lock"}
_KINDS = {**_NEEDED, ".efi": "uki-file", ".raw": "image-file", ".roothash": "root-hash-file"}


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claims about the record and each file that it names."""
    record = context.record
    trial = Trial(CLAIM, disk)
    if record is None:
        trial.wrong(f"no {RECORD} in {context.directory}; name its folder with --record", 0)
        yield from trial.findings("")
        return
    with trial.trying():
        _check_partitions(trial, record)
        root_hash = named_root_hash(disk)
        if record.get("root_hash") != root_hash:
            trial.wrong(f"the record of {record.get('root_hash')}", 0, root_hash)
        _check_kernel(trial, record)
    yield from trial.findings(f"the record of {record.get('profile')} {record.get('version')}")
    yield from _check_files(disk, context, _files(record))


def _check_partitions(trial: Trial, record: Mapping[str, Any]) -> None:
    """Compare the partitions with those of the build; a machine adds its own state behind them."""
    found = [
        {"type": p.type, "uuid": p.id, "label": p.label, "offset_bytes": p.offset_bytes, "size_bytes": p.size_bytes}
        for p in trial.disk.table.partitions
        if p.type != STATE
    ]
    built = record.get("partitions")
    if not isinstance(built, list) or found != [_in_lower_case(entry) for entry in built]:
        trial.wrong("other partitions than those of the build", 0)


def _check_kernel(trial: Trial, record: Mapping[str, Any]) -> None:
    """Compare the kernel image on the disk with the one beside it, which is what an update brings."""
    kernel = open_esp(trial.disk).kernel().file
    digest = hashlib.sha256()
    for at in range(0, kernel.size_bytes, CHUNK_BYTES):
        digest.update(kernel.read(at, min(CHUNK_BYTES, kernel.size_bytes - at)))
    if _files(record).get(str(record.get("uki"))) != digest.hexdigest():
        part = trial.disk.partition(ESP)
        trial.wrong("another kernel image than the one of the build", part.offset_bytes + kernel.position(0))


def _files(record: Mapping[str, Any]) -> Mapping[str, object]:
    files = record.get("files")
    return files if isinstance(files, dict) else {}


def _in_lower_case(entry: object) -> object:
    """Write the GUIDs of a partition as all others are written here; sfdisk(8) writes them in capitals."""
    if not isinstance(entry, dict):
        return entry
    return {name: str(value).lower() if name in ("type", "uuid") else value for name, value in entry.items()}


def _check_files(disk: Disk, context: Context, files: Mapping[str, object]) -> Iterator[Finding]:
    for name, digest in files.items():
        kind = next((kind for ending, kind in _KINDS.items() if name.endswith(ending)), "file")
        # What was written to a disk is not a file any more; the other claims are about each byte of it.
        if kind == "image-file" and disk.is_device:
            continue
        found = _digest_of_image(disk) if kind == "image-file" else _digest(context, name)
        yield Finding(kind, found == digest, f"{name} with SHA-256 {digest}", found, name, _verdict(found == digest))
    for ending, kind in _NEEDED.items():
        if not any(name.endswith(ending) for name in files):
            yield Finding(kind, False, f"a file *{ending}", "none in the record", RECORD, _FAILS)


def _verdict(passed: bool) -> str:
    return _PROVES if passed else _FAILS


def _digest(context: Context, name: str) -> str:
    """Return the SHA-256 of a file beside the image, or why there is none."""
    path = context.directory / name
    if path.parent != context.directory or not path.is_file():
        return "no such file"
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return digest.hexdigest()


def _digest_of_image(disk: Disk) -> str:
    digest = hashlib.sha256()
    for chunk in disk.chunks(0, disk.size_bytes):
        digest.update(chunk)
    return digest.hexdigest()
