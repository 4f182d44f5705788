"""Who signed the root hash: the certificate in the firmware's db whose key made the signature.

The signature is checked here once more, so nothing that is written beside it on the disk has to be believed. Only RSA
with SHA-256 is known, which is what ClaudineOS signs with.

Sources: UEFI 2.10, section 32.4.1 (EFI_SIGNATURE_LIST); RFC 5280, section 4.1 (certificates); RFC 5652, section 5
(signed data); RFC 8017, section 8.2.2 (the signature).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from claudine_state.text import printable

# Where Linux shows the variable, below the root.
DB = "sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f"

# EFI_CERT_X509_GUID, in the order of bytes that UEFI stores GUIDs in.
_X509 = bytes.fromhex("a159c0a5e494a74a87b5ab155c2bf072")
_GUID_BYTES = 16

_INTEGER, _OCTET_STRING, _SEQUENCE, _SET, _CONTEXT_0 = 0x02, 0x04, 0x30, 0x31, 0xA0
_COMMON_NAME = bytes.fromhex("550403")
# What stands before a SHA-256 digest in a signature (RFC 8017, section 9.2, note 1).
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


@dataclass(frozen=True)
class Signer:
    """A certificate: its common name, and the SHA-256 of its bytes in hex."""

    subject: str
    sha256: str


def find_signer(root_hash: str, signature: bytes, db: bytes) -> Signer | None:
    """Return whose *signature* (PKCS#7, DER) of *root_hash* it is, among the certificates of the EFI variable *db*."""
    try:
        value = int.from_bytes(_signature_value(signature))
    except (ValueError, IndexError):
        return None
    for certificate in certificates(db):
        try:
            subject, modulus, exponent = _read_certificate(certificate)
            signed = pow(value, exponent, modulus).to_bytes((modulus.bit_length() + 7) // 8)
        except (ValueError, IndexError, OverflowError):
            continue
        # The kernel has the hash signed as text, in hex.
        if signed == _padded(hashlib.sha256(root_hash.encode()).digest(), len(signed)):
            return Signer(printable(subject), hashlib.sha256(certificate).hexdigest())
    return None


def certificates(db: bytes) -> Iterator[bytes]:
    """Yield the certificates (DER) in the EFI variable *db*."""
    # Four bytes of attributes, then the lists.
    rest = db[4:]
    while len(rest) >= _GUID_BYTES + 12:
        size, header, entry = (int.from_bytes(rest[at : at + 4], "little") for at in (16, 20, 24))
        if size < _GUID_BYTES + 12 or entry <= _GUID_BYTES:
            return
        entries = rest[_GUID_BYTES + 12 + header : size]
        if rest[:_GUID_BYTES] == _X509:
            for start in range(0, len(entries), entry):
                # The first bytes say who enrolled it.
                yield entries[start + _GUID_BYTES : start + entry]
        rest = rest[size:]


def _padded(digest: bytes, length: int) -> bytes:
    end = b"\0" + _SHA256 + digest
    return b"\0\1" + b"\xff" * (length - 2 - len(end)) + end


def _signature_value(content_info: bytes) -> bytes:
    (outer,) = _elements(content_info, _SEQUENCE)
    signed_data = _elements(_elements(_elements(outer)[-1], _SEQUENCE)[0])
    signers = _elements(signed_data[-1], _SEQUENCE)
    # With attributes, the signature would be over those.
    if len(signers) != 1 or _elements(signers[0], _CONTEXT_0):
        raise ValueError("not one signature of the data itself")
    return _elements(signers[0], _OCTET_STRING)[-1]


def _read_certificate(certificate: bytes) -> tuple[str, int, int]:
    """Return subject, modulus and exponent."""
    (outer,) = _elements(certificate, _SEQUENCE)
    # Of the sequences in it: the algorithm, the issuer, the dates, the subject, the key.
    _, _, _, subject, key_info = _elements(_elements(outer)[0], _SEQUENCE)[:5]
    # A bit string, whose first byte counts unused bits.
    (key,) = _elements(_elements(key_info)[1][1:], _SEQUENCE)
    modulus, exponent = (int.from_bytes(number) for number in _elements(key, _INTEGER))
    return _common_name(subject), modulus, exponent


def _common_name(name: bytes) -> str:
    for part in _elements(name, _SET):
        kind, value = _elements(_elements(part, _SEQUENCE)[0])
        if kind == _COMMON_NAME:
            return value.decode(errors="replace")
    return "without a name"


def _elements(data: bytes, tag: int | None = None) -> list[bytes]:
    """Split the inside of a DER value; with *tag*, return those of that kind only. ValueError if it is cut off."""
    found = []
    while data:
        kind, length, start = data[0], data[1], 2
        if length >= 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start])
        if len(data) < start + length:
            raise ValueError("cut-off DER")
        if tag in (None, kind):
            found.append(data[start : start + length])
        data = data[start + length :]
    return found
