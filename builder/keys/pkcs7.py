"""PKCS#7 SignedData as UEFI firmware wants it: detached, without attributes, and without its usual wrapper.

`cryptography` signs but does not verify PKCS#7, and wraps its result in a ContentInfo that UEFI leaves out. So there
is a small reader of DER here. It refuses whatever DER does not allow or we do not write: for a file that can lock an
owner out of a machine, "probably fine" is not good enough.

Source: RFC 2315 sections 7 and 9; UEFI 2.10 section 8.2.2 ("only the DER-encoded SignedData").
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

INTEGER, OCTET_STRING, OBJECT_IDENTIFIER, SEQUENCE, SET, CONTEXT_0 = 0x02, 0x04, 0x06, 0x30, 0x31, 0xA0

OID_DATA = bytes.fromhex("2a864886f70d010701")
OID_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
# AlgorithmIdentifier with and without the NULL: RFC 4055 section 2.1 wants both accepted.
SHA256 = frozenset(map(bytes.fromhex, ("0609608648016503040201", "06096086480165030402010500")))
RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d0101010500")


@dataclass(frozen=True)
class Element:
    """One DER value: its tag byte and the bytes inside."""

    tag: int
    contents: bytes


def elements(data: bytes, *tags: int) -> tuple[Element, ...]:
    """Split the inside of a constructed value; it must hold exactly these tags. ValueError if it does not."""
    found = split(data)
    if tuple(element.tag for element in found) != tags:
        raise ValueError(
            f"DER tags {[hex(element.tag) for element in found]} where {[hex(tag) for tag in tags]} belong"
        )
    return found


def split(data: bytes) -> tuple[Element, ...]:
    """Split the inside of a constructed value, whatever it holds. ValueError if it is not DER."""
    found: list[Element] = []
    while data:
        element, data = _take(data)
        found.append(element)
    return tuple(found)


def sign(data: bytes, key: rsa.RSAPrivateKey, signer: x509.Certificate) -> bytes:
    """Return a detached SignedData (DER) over `data`: SHA-256, RSA PKCS#1 v1.5, the signer's certificate inside."""
    options = (pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(data).add_signer(signer, key, hashes.SHA256())
    return unwrap(builder.sign(Encoding.DER, options))


def unwrap(content_info: bytes) -> bytes:
    """Return the SignedData inside a ContentInfo. ValueError if there is anything else."""
    (outer,) = elements(content_info, SEQUENCE)
    content_type, content = elements(outer.contents, OBJECT_IDENTIFIER, CONTEXT_0)
    _expect(content_type.contents == OID_SIGNED_DATA, "the content is not SignedData")
    elements(content.contents, SEQUENCE)
    return content.contents


def verify(signed_data: bytes, data: bytes, signer: x509.Certificate) -> None:
    """Check that `signer`, and no one else, signed `data`. ValueError says what is wrong."""
    (outer,) = elements(signed_data, SEQUENCE)
    version, digests, content, certificates, signers = elements(outer.contents, INTEGER, SET, SEQUENCE, CONTEXT_0, SET)
    (digest,) = elements(digests.contents, SEQUENCE)
    (content_type,) = elements(content.contents, OBJECT_IDENTIFIER)
    (info,) = elements(signers.contents, SEQUENCE)
    _expect(version.contents == b"\x01" and digest.contents in SHA256, "not a version 1 SignedData with SHA-256")
    _expect(content_type.contents == OID_DATA, "the signature is not detached from plain data")
    _expect(certificates.contents == signer.public_bytes(Encoding.DER), "another certificate signed it")
    _verify_signer_info(info.contents, data, signer)


def _verify_signer_info(info: bytes, data: bytes, signer: x509.Certificate) -> None:
    # Authenticated attributes would be a sixth element: the firmware would then check a signature over those.
    version, name, digest, algorithm, signature = elements(info, INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, OCTET_STRING)
    _expect(version.contents == b"\x01" and digest.contents in SHA256, "not a version 1 SignerInfo with SHA-256")
    _expect(algorithm.contents == RSA_ENCRYPTION, "not an RSA PKCS#1 v1.5 signature")
    _expect(name.contents == issuer_and_serial(signer), "the signature names another certificate")
    public_key = signer.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise ValueError("the signer's key is not an RSA key")
    try:
        public_key.verify(signature.contents, data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise ValueError("the signature does not match") from None


def issuer_and_serial(certificate: x509.Certificate) -> bytes:
    """Return what a signature names its signer by: the inside of an IssuerAndSerialNumber."""
    serial = certificate.serial_number
    # One bit more than the number needs, so that a positive number never begins with a set sign bit.
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    return certificate.issuer.public_bytes() + bytes((INTEGER, len(octets))) + octets


def _take(data: bytes) -> tuple[Element, bytes]:
    """Take the first value off `data`; return it and what follows."""
    if len(data) < 2 or data[0] & 0x1F == 0x1F:
        raise ValueError("cut-off DER, or a tag that we never write")
    tag, length, start = data[0], data[1], 2
    if length >= 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
        # DER has one way to write a length: the shortest. This also refuses the indefinite form (no octets at all).
        shortest = length.to_bytes((length.bit_length() + 7) // 8, "big")
        _expect(length >= 0x80 and data[2:start] == shortest, "a length that is not DER")
    _expect(len(data) >= start + length, "cut-off DER")
    return Element(tag, data[start : start + length]), data[start + length :]


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)
