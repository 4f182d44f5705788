"""A whole image of some 300 blocks, made by hand: what a build makes, in small.

system = tiny_system(owner)         change a part of it, then
path.write_bytes(system.to_bytes())
"""

import hashlib
import json
import struct
import uuid

from builder.verify import ids
from builder.verify.layout import ESP, MODEL, READ_ONLY, ROOT, SIGNATURE, VERITY
from tests.support.model_image import BLOCK, Owner, hash_tree, signature_document
from tests.support.tiny_boot import tiny_boot
from tests.support.tiny_disk import Part, TinyDisk

LABEL = "claudineos_0.1.0"
MODEL_LABEL = "tiny_1"
WEIGHTS = bytes(range(256)) * 2100 + b"the end of the weights"


def tiny_system(owner: Owner, model: bytes | None = None) -> TinyDisk:
    """The disk that a machine starts from, with a model image of its own unless one is given."""
    seed = ids.system_seed(LABEL)
    data = b"".join(hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(130 * BLOCK // 32))
    root = signed_root(owner, LABEL, data, seed)
    root_hash = uuid.UUID(root[0].id).hex + uuid.UUID(root[1].id).hex
    esp = Part(ESP, ids.partition_id(seed, ESP), "esp", tiny_boot(owner, LABEL, root_hash).to_bytes())
    image = tiny_model(owner).to_bytes() if model is None else model
    image = image.ljust(-(-len(image) // BLOCK) * BLOCK, b"\0")
    carrier = Part(MODEL, ids.partition_id(seed, MODEL), f"claudine-model_{MODEL_LABEL}", image)
    return TinyDisk(ids.disk_id(seed), [esp, *root, carrier])


def tiny_model(owner: Owner, *, weights: bytes = WEIGHTS, description: bytes | None = None) -> TinyDisk:
    """A model image; by default it says the truth about its weights."""
    seed = ids.model_seed(MODEL_LABEL)
    if description is None:
        description = json.dumps({"name": "tiny", "sha256": hashlib.sha256(weights).hexdigest()}).encode()
    data = tiny_erofs({"model.gguf": weights, "model.json": description})
    return TinyDisk(ids.disk_id(seed), signed_root(owner, MODEL_LABEL, data, seed))


def signed_root(owner: Owner, label: str, data: bytes, seed: uuid.UUID) -> list[Part]:
    """A root, its hash tree and its signature, as systemd-repart makes them from this seed."""
    tree, root_hash = hash_tree(data, ids.verity_salt(seed), ids.verity_id(seed).bytes)
    first, second = root_hash[:32], root_hash[32:]
    document = signature_document(owner, root_hash).ljust(4 * BLOCK, b"\0")
    return [
        Part(ROOT, str(uuid.UUID(first)), label, data, READ_ONLY),
        Part(VERITY, str(uuid.UUID(second)), f"{label}_verity", tree, READ_ONLY),
        Part(SIGNATURE, ids.partition_id(seed, SIGNATURE), f"{label}_verity_sig", document, READ_ONLY),
    ]


def tiny_erofs(files: dict[str, bytes]) -> bytes:
    """An uncompressed erofs with these files, the ends of which lie behind their inodes. All inodes are in block 0."""
    names = sorted(files)
    root_slot = (1024 + 128) // 32
    start, block, slot = bytearray(BLOCK), 2, root_slot + 1
    contents, numbers = [], {}
    for name in names:
        whole, tail = divmod(len(files[name]), BLOCK)
        assert (slot + 1) * 32 + tail <= BLOCK
        _put_inode(start, slot, layout=2, mode=0o100644, size=len(files[name]), address=block)
        start[(slot + 1) * 32 : (slot + 1) * 32 + tail] = files[name][whole * BLOCK :]
        contents.append(files[name][: whole * BLOCK])
        numbers[name] = slot
        block += whole
        slot += 1 + -(-tail // 32)
    offset, entries, texts = 12 * len(names), b"", b""
    for name in names:
        entries += struct.pack("<QHBB", numbers[name], offset + len(texts), 1, 0)
        texts += name.encode()
    directory = entries + texts
    _put_inode(start, root_slot, layout=0, mode=0o040755, size=len(directory), address=1)
    fields = (0xE0F5E1E2, 0, 0, 12, 0, root_slot, len(files) + 1, 0, 0, block, 0)
    start[1024:1068] = struct.pack("<IIIBBHQQIII", *fields)
    return bytes(start) + directory.ljust(BLOCK, b"\0") + b"".join(contents)


def _put_inode(blocks: bytearray, slot: int, *, layout: int, mode: int, size: int, address: int) -> None:
    inode = struct.pack("<HHHHIIIIHHI", layout << 1, 0, mode, 1, size, 0, address, slot, 0, 0, 0)
    blocks[slot * 32 : slot * 32 + 32] = inode
