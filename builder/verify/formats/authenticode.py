"""Authenticode: who signed a PE image, and what exactly.

The signature is a PKCS#7 SignedData over an SpcIndirectDataContent, whose last part is the image's digest:

    SEQUENCE
      SEQUENCE           what kind of file it is
        OBJECT IDENTIFIER  SPC_PE_IMAGE_DATAOBJ
        SEQUENCE           nothing of use
      SEQUENCE           DigestInfo
        SEQUENCE           SHA-256
        OCTET STRING       the digest

Source: "Windows Authenticode Portable Executable Signature Format" 1.0.
"""

from collections.abc import Sequence

from cryptography import x509

from builder.keys.pkcs7 import OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SHA256, elements
from builder.verify.formats import pe
from builder.verify.formats.cms import signed_content, verify_signed_data
from builder.verify.formats.gpt import Read
from builder.verify.formats.malformed import MalformedError

_INDIRECT_DATA = bytes.fromhex("2b060104018237020104")
_PE_IMAGE_DATA = bytes.fromhex("2b06010401823702010f")


def signer(read: Read, image: pe.Image, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return which of the certificates signed the image, with the only signature that it has.

    MalformedError says what is wrong; its offset is in the file.
    """
    found = pe.signatures(read, image)
    if len(found) != 1:
        raise MalformedError(f"{len(found)} signatures where one belongs", image.signatures_offset)
    try:
        signed = _signed_digest(*signed_content(found[0]))
        if signed != pe.authenticode_digest(read, image):
            raise MalformedError("the signature is over other content", 0)
        return verify_signed_data(found[0], None, certificates)
    except MalformedError as error:
        raise MalformedError(error.what, image.signatures_offset) from error


def _signed_digest(content_type: bytes, content: bytes | None) -> bytes:
    if content_type != _INDIRECT_DATA or content is None:
        raise MalformedError("a signature over something else than a program", 0)
    try:
        kind, digest = elements(content, SEQUENCE, SEQUENCE)
        name, _file = elements(kind.contents, OBJECT_IDENTIFIER, SEQUENCE)
        algorithm, value = elements(digest.contents, SEQUENCE, OCTET_STRING)
    except ValueError as error:
        raise MalformedError(str(error), 0) from None
    if name.contents != _PE_IMAGE_DATA or algorithm.contents not in SHA256:
        raise MalformedError("a signature over something else than the SHA-256 of a program", 0)
    return value.contents
