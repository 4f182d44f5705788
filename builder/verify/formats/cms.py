"""Signatures in PKCS#7 SignedData: of root hashes (detached) and of programs (Authenticode, with attributes).

    signer = verify_signed_data(signature, root_hash.encode(), certificates)     detached
    signer = verify_signed_data(signature, None, certificates)                   over what signed_content() returns

One signer, SHA-256, RSA PKCS#1 v1.5, and no certificate inside but the known ones: what we sign is like that, and no
byte is left that could be anything else. Trust is being listed: there are no chains, and dates are not looked at, since
neither the firmware nor the kernel does.

Source: RFC 5652, sections 5.1 to 5.4; for Authenticode, "Windows Authenticode Portable Executable Signature Format".
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from builder.keys.pkcs7 import (
    CONTEXT_0,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OID_DATA,
    RSA_ENCRYPTION,
    SEQUENCE,
    SET,
    SHA256,
    Element,
    elements,
    issuer_and_serial,
    split,
    unwrap,
)
from builder.verify.formats.malformed import MalformedError

# A signature of ours has some 1,300 bytes; splitting takes time with the square of the length.
MAX_BYTES = 1 << 15

_CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _SignedData:
    content_type: bytes
    # None where it is detached.
    content: bytes | None
    certificates: tuple[bytes, ...]
    signer: tuple[Element, ...]


def signed_content(der: bytes) -> tuple[bytes, bytes | None]:
    """Return the type (the contents of its object identifier) and the contents of what is signed, None if detached."""
    return _refusing(lambda: _content_of(_parse(der)))


def verify_signed_data(der: bytes, content: bytes | None, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return which of the certificates signed `content`, or, if that is None, the content inside `der`.

    MalformedError says what is wrong.
    """
    return _refusing(lambda: _verify(_parse(der), content, certificates))


def _refusing(read: Callable[[], _Result]) -> _Result:
    try:
        return read()
    except ValueError as error:
        raise MalformedError(str(error), 0) from None


def _parse(der: bytes) -> _SignedData:
    _expect(len(der) <= MAX_BYTES, f"a signature of {len(der)} bytes")
    (outer,) = elements(unwrap(der), SEQUENCE)
    version, digests, info, certificates, signers = elements(outer.contents, INTEGER, SET, SEQUENCE, CONTEXT_0, SET)
    (digest,) = elements(digests.contents, SEQUENCE)
    _expect(version.contents == b"\x01" and digest.contents in SHA256, "not a version 1 SignedData with SHA-256")
    content_type, content = _content_info(info)
    (signer,) = elements(signers.contents, SEQUENCE)
    return _SignedData(content_type, content, _certificates(certificates.contents), split(signer.contents))


def _content_info(info: Element) -> tuple[bytes, bytes | None]:
    parts = split(info.contents)
    if [part.tag for part in parts] == [OBJECT_IDENTIFIER]:
        return parts[0].contents, None
    _expect([part.tag for part in parts] == [OBJECT_IDENTIFIER, CONTEXT_0], "no content information")
    (content,) = split(parts[1].contents)
    return parts[0].contents, content.contents


def _content_of(signed: _SignedData) -> tuple[bytes, bytes | None]:
    return signed.content_type, signed.content


def _certificates(data: bytes) -> tuple[bytes, ...]:
    """Return the certificates in the form in which they are compared."""
    found = split(data)
    _expect(all(element.tag == SEQUENCE for element in found), "something else among the certificates")
    return tuple(_encoded(element.tag, element.contents) for element in found)


def _verify(signed: _SignedData, content: bytes | None, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    tags = [element.tag for element in signed.signer]
    plain = [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, OCTET_STRING]
    with_attributes = [INTEGER, SEQUENCE, SEQUENCE, CONTEXT_0, SEQUENCE, OCTET_STRING]
    _expect(tags in (plain, with_attributes), "no signer information, or one with attributes that are not signed")
    version, name, digest, *attributes, algorithm, signature = signed.signer
    _expect(version.contents == b"\x01" and digest.contents in SHA256, "not a version 1 SignerInfo with SHA-256")
    _expect(algorithm.contents == RSA_ENCRYPTION, "not an RSA PKCS#1 v1.5 signature")
    _expect((content is None) != (signed.content is None), "content where none belongs, or none where it does")
    _expect(content is None or signed.content_type == OID_DATA, "the signature is not over plain data")
    covered = signed.content if content is None else content
    assert covered is not None
    for attribute in attributes:
        _check_attributes(attribute, signed.content_type, covered)
        # What is signed has the tag that the attributes would have alone (RFC 5652, section 5.4).
        covered = _encoded(SET, attribute.contents)
    signer = _signer(signed, name, certificates)
    public_key = signer.public_key()
    _expect(isinstance(public_key, rsa.RSAPublicKey), "the signer's key is not an RSA key")
    assert isinstance(public_key, rsa.RSAPublicKey)
    try:
        public_key.verify(signature.contents, covered, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise ValueError("the signature does not match what it should cover") from None
    return signer


def _signer(signed: _SignedData, name: Element, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    known = {certificate.public_bytes(Encoding.DER): certificate for certificate in certificates}
    _expect(all(der in known for der in signed.certificates), "another certificate than the given ones signed it")
    for der in signed.certificates:
        if name.contents == issuer_and_serial(known[der]):
            return known[der]
    raise ValueError("the certificate of the signer is not with the signature")


def _check_attributes(attributes: Element, content_type: bytes, content: bytes) -> None:
    """The attributes must say what kind of content is signed, and its digest; what else they say is signed, too."""
    values: dict[bytes, bytes] = {}
    for attribute in split(attributes.contents):
        _expect(attribute.tag == SEQUENCE, "an attribute that is none")
        kind, value = elements(attribute.contents, OBJECT_IDENTIFIER, SET)
        _expect(kind.contents not in values, "an attribute that is there twice")
        values[kind.contents] = value.contents
    (stated_type,) = elements(values.get(_CONTENT_TYPE, b""), OBJECT_IDENTIFIER)
    (stated_digest,) = elements(values.get(_MESSAGE_DIGEST, b""), OCTET_STRING)
    _expect(stated_type.contents == content_type, "the signature is over another kind of content")
    _expect(stated_digest.contents == hashlib.sha256(content).digest(), "the signature is over other content")


def _encoded(tag: int, contents: bytes) -> bytes:
    length = len(contents)
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    header = bytes((length,)) if length < 0x80 else bytes((0x80 | len(octets),)) + octets
    return bytes((tag,)) + header + contents


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)
