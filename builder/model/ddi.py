"""The model image: a disk image of its own (DDI), signed, with the weights and what must go with them.

    image = build_model_image(entry, keys, toolchain)      # in the cache, made once for the same inputs
    image.path, image.root_hash

    smollm2-135m_1.raw        a partition table with
      root                    erofs: model.gguf, model.json, LICENCE (and NOTICE, chat-template.jinja where needed)
      root-verity             the hash tree over it
      root-verity-sig         the owner's signature of the root hash, by the key `verity`

systemd mounts it as a whole and checks the signature (MountImages=, systemd.image-policy(7)). Equal inputs give equal
bytes, wherever they are built.
"""

import hashlib
import json
import shutil
import tempfile
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from builder import log
from builder.errors import BuilderError
from builder.fetch import check_room, file_sha256
from builder.keys import KeySet
from builder.model.weights import obtain, obtain_weights
from builder.profile.catalogue import CatalogueEntry, Model
from builder.run import run
from builder.toolchain import Toolchain

WEIGHTS = "model.gguf"
DESCRIPTION = "model.json"
LICENCE = "LICENCE"
NOTICE = "NOTICE"
TEMPLATE = "chat-template.jinja"

# Raised when what is written here changes, so that images in the cache are made again.
_FORMAT = 1
_RECORD = "model-image.json"
SEED_NAMESPACE = uuid.UUID("d1b52d0c-6a53-5c7e-8f35-4d3a8f0f6c11")
# Of files, owner and time: whoever builds it, and whenever.
_EROFS_OPTIONS = "--all-root -T0"
_SLACK_BYTES = 64_000_000


@dataclass(frozen=True)
class ModelImage:
    """A finished model image: `root_hash` is 64 hex digits, `sha256` that of the whole file."""

    id: str
    path: Path
    root_hash: str
    sha256: str
    size_bytes: int


def model_description(model: Model) -> dict[str, object]:
    """Return what `model.json` says: all that the runtime needs to know before it loads the weights."""
    return {
        "name": model.name,
        "version": model.version,
        "title": model.title,
        "licence": model.licence.id,
        "languages": list(model.languages),
        "architecture": model.architecture,
        "parameters": model.parameters,
        "quantisation": model.quantisation,
        "context_tokens": model.context_tokens,
        "weights_bytes": model.weights.size_bytes,
        "sha256": model.weights.sha256,
        "kv_bytes_per_token": model.kv_bytes_per_token,
        "compute_bytes": model.compute_bytes,
    }


def model_image_digest(model: Model, keys: KeySet, toolchain: Toolchain) -> str:
    """SHA-256 over all that decides the image's bytes; the weights and the licence are known by their digests."""
    inputs = {
        "format": _FORMAT,
        "description": model_description(model),
        "licence": [model.licence.text.sha256, model.licence.notice],
        "chat_template": model.chat_template,
        "certificate": keys.verity.certificate.sha256,
        "tools": toolchain.tools_digest,
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def build_model_image(entry: CatalogueEntry, keys: KeySet, toolchain: Toolchain) -> ModelImage:
    """Return the model's image from the cache, or make it there."""
    model = entry.model
    images = toolchain.cache / "models"
    images.mkdir(exist_ok=True)
    directory = images / model_image_digest(model, keys, toolchain)
    if image := _cached(directory, model):
        return image
    # The files, repart's copy of them, and the image.
    check_room(images, 3 * model.weights.size_bytes + _SLACK_BYTES)
    weights, licence = obtain_weights(entry), obtain(model.licence.text, entry)
    with (
        log.step(f"Building the model image {model.id}"),
        tempfile.TemporaryDirectory(dir=images, prefix="new-") as scratch,
    ):
        work = Path(scratch)
        root = _lay_root(work / "root", model, weights, licence)
        finished = work / "finished"
        finished.mkdir()
        raw = finished / f"{model.id}.raw"
        root_hash = _repart(raw, root, work, model, keys, toolchain)
        image = ModelImage(model.id, directory / raw.name, root_hash, file_sha256(raw), raw.stat().st_size)
        (finished / _RECORD).write_text(json.dumps({**asdict(image), "path": raw.name}))
        try:
            finished.rename(directory)
        except OSError:
            # Another build was quicker, with the same bytes.
            if not directory.exists():
                raise
    return image


def _cached(directory: Path, model: Model) -> ModelImage | None:
    """Return the image that an earlier build left, if it is still what it was."""
    try:
        record = json.loads((directory / _RECORD).read_text())
        image = ModelImage(**{**record, "path": directory / f"{model.id}.raw"})
        if image.path.stat().st_size == image.size_bytes and file_sha256(image.path) == image.sha256:
            return image
    except (OSError, ValueError, TypeError):
        pass
    if directory.exists():
        log.warning(f"{directory} is damaged and is made again")
        shutil.rmtree(directory)
    return None


def _lay_root(root: Path, model: Model, weights: Path, licence: Path) -> Path:
    root.mkdir()
    # Copies: the files may be somebody's own, with modes that nobody else can read.
    shutil.copyfile(weights, root / WEIGHTS)
    shutil.copyfile(licence, root / LICENCE)
    (root / DESCRIPTION).write_text(json.dumps(model_description(model), indent=2, ensure_ascii=False) + "\n")
    if model.licence.notice is not None:
        (root / NOTICE).write_text(model.licence.notice.rstrip("\n") + "\n")
    if model.chat_template is not None:
        (root / TEMPLATE).write_text(model.chat_template)
    root.chmod(0o755)
    for path in root.iterdir():
        path.chmod(0o644)
    return root


def _repart(raw: Path, root: Path, work: Path, model: Model, keys: KeySet, toolchain: Toolchain) -> str:
    """Make the image and return its root hash."""
    definitions = work / "repart"
    definitions.mkdir()
    for name, text in _definitions(model).items():
        (definitions / name).write_text(text)
    command = [
        *("env", f"SYSTEMD_REPART_MKFS_OPTIONS_EROFS={_EROFS_OPTIONS}", "SOURCE_DATE_EPOCH=0"),
        *("systemd-repart", "--empty=create", "--size=auto", "--dry-run=no", "--offline=yes", "--json=short"),
        *("--architecture", "x86-64"),
        *("--seed", str(uuid.uuid5(SEED_NAMESPACE, model.id))),
        *("--definitions", str(definitions), "--copy-source", str(root)),
        *("--private-key", str(keys.verity.key), "--certificate", str(keys.verity.certificate.path)),
        str(raw),
    ]
    made = json.loads(run(toolchain.box(command)).stdout)
    hashes = {partition["roothash"] for partition in made if partition.get("roothash")}
    if len(hashes) != 1:
        raise BuilderError(f"systemd-repart reported {len(hashes)} root hashes for {model.id}; one is expected")
    return str(hashes.pop())


def _definitions(model: Model) -> dict[str, str]:
    """Return the partitions, as repart.d(5) has them.

    The weights do not compress, and a file that is stored as it is can be read at the disk's speed.
    """
    return {
        "10-root.conf": "[Partition]\n"
        "Type=root-x86-64\n"
        f"Label={model.id}\n"
        "Format=erofs\n"
        "CopyFiles=/\n"
        "Minimize=best\n"
        "Verity=data\n"
        "VerityMatchKey=model\n",
        "20-root-verity.conf": "[Partition]\n"
        "Type=root-x86-64-verity\n"
        f"Label={model.id}_verity\n"
        "Minimize=best\n"
        "Verity=hash\n"
        "VerityMatchKey=model\n",
        "30-root-verity-sig.conf": "[Partition]\n"
        "Type=root-x86-64-verity-sig\n"
        f"Label={model.id}_verity_sig\n"
        "Verity=signature\n"
        "VerityMatchKey=model\n",
    }
