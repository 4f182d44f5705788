"""A model image of some 300 blocks, made by hand as systemd-repart makes it: a root, its hash tree, a signature."""

import base64
import hashlib
import json
import struct
import uuid
import zlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from builder.keys import authvar

BLOCK, SECTOR = 4096, 512
DATA_BLOCKS = 300
# Where the parts are, in sectors.
ROOT, VERITY, SIGNATURE = 2048, 4608, 4864
TYPES = {
    ROOT: "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
    VERITY: "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
    SIGNATURE: "41092b05-9fc8-4523-994f-2def0408b176",
}
SALT = bytes(range(32))
TOTAL = SIGNATURE + 64


class Owner:
    """Somebody with a key and a certificate."""

    def __init__(self, name: str) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(subject, subject, self.key.public_key(), x509.random_serial_number())
        dated = builder.not_valid_before(now).not_valid_after(now + timedelta(1))
        self.certificate = dated.sign(self.key, hashes.SHA256())

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def sign(self, text: str) -> bytes:
        builder = pkcs7.PKCS7SignatureBuilder().set_data(text.encode())
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes]
        return builder.add_signer(self.certificate, self.key, hashes.SHA256()).sign(Encoding.DER, options)

    def db(self) -> bytes:
        """The EFI variable of a firmware that trusts this owner alone."""
        return b"\x07\0\0\0" + authvar.signature_lists([self.certificate], uuid.uuid4())


def model_image(owner: Owner | None, *, seed: bytes = b"model") -> bytes:
    """Return an image signed by *owner*; without one, it has no partition for a signature."""
    numbers = (n.to_bytes(2, "big") for n in range(DATA_BLOCKS))
    data = b"".join(hashlib.sha256(seed + number).digest() * (BLOCK // 32) for number in numbers)
    tree, root_hash = hash_tree(data, SALT)
    image = bytearray(TOTAL * SECTOR)
    image[ROOT * SECTOR : ROOT * SECTOR + len(data)] = data
    image[VERITY * SECTOR : VERITY * SECTOR + len(tree)] = tree
    extents = {ROOT: VERITY - 1, VERITY: SIGNATURE - 1}
    if owner is not None:
        extents[SIGNATURE] = TOTAL - 33
        put(image, SIGNATURE * SECTOR, signature_document(owner, root_hash))
    _put_table(image, extents)
    return bytes(image)


def put(image: bytearray, offset: int, content: bytes | bytearray) -> None:
    image[offset : offset + len(content)] = content


def with_flipped_bit(image: bytes, offset: int) -> bytes:
    changed = bytearray(image)
    changed[offset] ^= 1
    return bytes(changed)


def hash_tree(data: bytes, salt: bytes, identity: bytes = bytes(16)) -> tuple[bytes, str]:
    """A superblock and the tree over whole blocks of data, the top first; and the root hash."""
    count = len(data) // BLOCK
    fields = (b"verity\0\0", 1, 1, identity, b"sha256", BLOCK, BLOCK, count, len(salt), salt)
    superblock = struct.pack("<8sII16s32sIIQH6x256s", *fields)
    levels = []
    below = data
    while len(below) > BLOCK:
        digests = [_digest(salt, below[at : at + BLOCK]) for at in range(0, len(below), BLOCK)]
        blocks = [b"".join(digests[at : at + 128]).ljust(BLOCK, b"\0") for at in range(0, len(digests), 128)]
        below = b"".join(blocks)
        levels.append(below)
    return superblock.ljust(BLOCK, b"\0") + b"".join(reversed(levels)), _digest(salt, below).hex()


def signature_document(owner: Owner, root_hash: str) -> bytes:
    document = {
        "rootHash": root_hash,
        "certificateFingerprint": owner.fingerprint,
        "signature": base64.b64encode(owner.sign(root_hash)).decode(),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _digest(salt: bytes, block: bytes) -> bytes:
    return hashlib.sha256(salt + block).digest()


def _put_table(image: bytearray, extents: dict[int, int]) -> None:
    entries = bytearray(128 * 128)
    for number, (first, last) in enumerate(extents.items()):
        kind = uuid.UUID(TYPES[first]).bytes_le
        struct.pack_into("<16s16sQQ", entries, number * 128, kind, bytes([number + 1] * 16), first, last)
    fields = [b"EFI PART", 0x10000, 92, 0, 0, 1, TOTAL - 1, 34, TOTAL - 34, bytes(16), 2, 128, 128, zlib.crc32(entries)]
    header = struct.Struct("<8sIIIIQQQQ16sQIII")
    fields[3] = zlib.crc32(header.pack(*fields))
    put(image, SECTOR, header.pack(*fields))
    put(image, 2 * SECTOR, entries)
