"""Signatures in PKCS#7: one signer that was named before, and nothing that could be anything else."""

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from builder.keys.pkcs7 import OCTET_STRING, SEQUENCE, SET, elements, unwrap
from builder.verify.formats.cms import MAX_BYTES, signed_content, verify_signed_data
from builder.verify.formats.malformed import MalformedError
from tests.support.model_image import Owner

ADA, EVE = Owner("Ada"), Owner("Eve")
CONTENT = b"what is signed"


def signed(*signers: Owner, options: tuple[pkcs7.PKCS7Options, ...] = (), content: bytes = CONTENT) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    for signer in signers:
        builder = builder.add_signer(signer.certificate, signer.key, hashes.SHA256())
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary, *options])


DETACHED, PLAIN = pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.NoAttributes
NO_CAPABILITIES, NO_CERTIFICATES = pkcs7.PKCS7Options.NoCapabilities, pkcs7.PKCS7Options.NoCerts


@pytest.mark.parametrize("options", [(DETACHED, PLAIN), (DETACHED, NO_CAPABILITIES), (DETACHED,)])
def test_a_detached_signature_names_its_signer(options: tuple[pkcs7.PKCS7Options, ...]) -> None:
    signature = signed(ADA, options=options)
    assert verify_signed_data(signature, CONTENT, [EVE.certificate, ADA.certificate]) == ADA.certificate
    with pytest.raises(MalformedError):
        verify_signed_data(signature, CONTENT + b"!", [ADA.certificate])


@pytest.mark.parametrize("options", [(PLAIN,), (NO_CAPABILITIES,)])
def test_a_signature_may_carry_what_it_covers(options: tuple[pkcs7.PKCS7Options, ...]) -> None:
    signature = signed(ADA, options=options)
    assert signed_content(signature)[1] == CONTENT
    assert verify_signed_data(signature, None, [ADA.certificate]) == ADA.certificate


REFUSED: list[tuple[str, Callable[[], bytes], str]] = [
    ("somebody else", lambda: signed(EVE, options=(DETACHED, PLAIN)), "another certificate than the given ones"),
    ("two signers", lambda: signed(ADA, EVE, options=(DETACHED, PLAIN)), "DER tags"),
    ("no certificate with it", lambda: signed(ADA, options=(DETACHED, PLAIN, NO_CERTIFICATES)), "DER tags"),
    ("content inside as well", lambda: signed(ADA, options=(PLAIN,)), "content where none belongs"),
    ("too long", lambda: bytes(MAX_BYTES + 1), "a signature of"),
    ("nothing", lambda: b"", "DER tags"),
    ("something behind", lambda: signed(ADA, options=(DETACHED, PLAIN)) + b"\0", "cut-off DER"),
    ("cut off", lambda: signed(ADA, options=(DETACHED, PLAIN))[:-1], "cut-off DER"),
]


@pytest.mark.parametrize(("make", "found"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_another_kind_of_signature_is_refused(make: Callable[[], bytes], found: str) -> None:
    with pytest.raises(MalformedError, match=found):
        verify_signed_data(make(), CONTENT, [ADA.certificate])


def test_attributes_that_are_not_signed_are_refused() -> None:
    """Where they are is behind the signature; a program that looks at them would see what nobody has signed."""
    signature = signed(ADA, options=(DETACHED, PLAIN))
    (outer,) = elements(unwrap(signature), SEQUENCE)
    info = outer.contents[outer.contents.rindex(encoded(SET, b"")[:1] + b"\x82") :]
    (signers,) = elements(info, SET)
    (signer,) = elements(signers.contents, SEQUENCE)
    more = encoded(SEQUENCE, signer.contents + encoded(0xA1, encoded(SEQUENCE, b"")))
    changed = outer.contents[: -len(info)] + encoded(SET, more)
    head = bytes.fromhex("06092a864886f70d010702")
    again = encoded(SEQUENCE, head + encoded(0xA0, encoded(SEQUENCE, changed)))
    with pytest.raises(MalformedError, match="attributes that are not signed"):
        verify_signed_data(again, CONTENT, [ADA.certificate])


def test_attributes_must_give_the_digest_of_the_content() -> None:
    signature = signed(ADA, options=(DETACHED, NO_CAPABILITIES))
    digest = encoded(OCTET_STRING, hashlib.sha256(CONTENT).digest())
    assert digest in signature
    with pytest.raises(MalformedError, match="over other content"):
        verify_signed_data(signature.replace(digest, encoded(OCTET_STRING, bytes(32))), CONTENT, [ADA.certificate])


@pytest.mark.parametrize("options", [(DETACHED, PLAIN), (DETACHED, NO_CAPABILITIES)])
def test_no_byte_of_a_signature_can_be_changed(options: tuple[pkcs7.PKCS7Options, ...]) -> None:
    signature = signed(ADA, options=options)
    for at in range(len(signature)):
        changed = bytearray(signature)
        changed[at] ^= 0x15
        with pytest.raises(MalformedError):
            verify_signed_data(bytes(changed), CONTENT, [ADA.certificate])


def encoded(tag: int, contents: bytes) -> bytes:
    length = len(contents)
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag,)) + (bytes((length,)) if length < 0x80 else bytes((0x80 | len(octets),)) + octets) + contents
