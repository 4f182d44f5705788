"""Signed updates of the UEFI Secure Boot variables (the .auth files).

An update is an EFI_VARIABLE_AUTHENTICATION_2 followed by the variable's new content. All integers are little-endian.

    EFI_TIME                   16 bytes
    WIN_CERTIFICATE_UEFI_GUID  length u32, revision u16 0x0200, type u16 0x0EF1, GUID of "PKCS#7", then SignedData (DER)
    content                    one EFI_SIGNATURE_LIST for each certificate

    EFI_SIGNATURE_LIST         GUID of "X.509", list size u32, header size u32 0, signature size u32,
                               then one EFI_SIGNATURE_DATA: the owner's GUID and the certificate (DER)

The signature covers name (UTF-16, no NUL) + vendor GUID + attributes + EFI_TIME + content, so an update cannot be
replayed as another variable. Two certificates get two lists, since a list holds entries of one size only.

Source: UEFI 2.10 sections 8.2.2 (authenticated variables) and 32.4 (signature database).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from builder.keys import pkcs7

EFI_GLOBAL_VARIABLE = UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
EFI_IMAGE_SECURITY_DATABASE = UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
EFI_CERT_X509 = UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
EFI_CERT_TYPE_PKCS7 = UUID("4aafd29d-68df-49ee-8aa9-347d375665a7")

# NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS | TIME_BASED_AUTHENTICATED_WRITE_ACCESS
ATTRIBUTES = 0x01 | 0x02 | 0x04 | 0x20

TIME = struct.Struct("<HBBBBBxIhBx")
CERTIFICATE_HEADER = struct.Struct("<IHH16s")
LIST_HEADER = struct.Struct("<16sIII")
GUID_SIZE = 16


@dataclass(frozen=True)
class Variable:
    """A Secure Boot variable: its name and its vendor's GUID."""

    name: str
    vendor: UUID


PK = Variable("PK", EFI_GLOBAL_VARIABLE)
KEK = Variable("KEK", EFI_GLOBAL_VARIABLE)
DB = Variable("db", EFI_IMAGE_SECURITY_DATABASE)


def signed_update(
    variable: Variable, content: bytes, timestamp: datetime, key: rsa.RSAPrivateKey, signer: x509.Certificate
) -> bytes:
    """Return the .auth file that sets `variable` to `content`. The same arguments always give the same bytes.

    `timestamp` has a time zone; a firmware takes a later update only if its time is later than this one's.
    """
    time = _efi_time(timestamp)
    signed_data = pkcs7.sign(_covered(variable, time, content), key, signer)
    length = CERTIFICATE_HEADER.size + len(signed_data)
    return time + CERTIFICATE_HEADER.pack(length, 0x0200, 0x0EF1, EFI_CERT_TYPE_PKCS7.bytes_le) + signed_data + content


def verified_content(variable: Variable, update: bytes, signer: x509.Certificate) -> bytes:
    """Return what an update sets `variable` to. ValueError if it is malformed or `signer` did not sign exactly this."""
    time, signed_data, content = _parts(update)
    pkcs7.verify(signed_data, _covered(variable, time, content), signer)
    return content


def unverified_content(update: bytes) -> bytes:
    """Return what an update sets its variable to, whoever signed it. ValueError if it is malformed."""
    return _parts(update)[2]


def signature_lists(certificates: Sequence[x509.Certificate], owner: UUID) -> bytes:
    """Return the content of a variable that trusts these certificates. `owner` says who put them there."""
    entries = [owner.bytes_le + certificate.public_bytes(Encoding.DER) for certificate in certificates]
    x509_guid = EFI_CERT_X509.bytes_le
    return b"".join(LIST_HEADER.pack(x509_guid, LIST_HEADER.size + len(e), 0, len(e)) + e for e in entries)


def listed_certificates(content: bytes) -> tuple[bytes, ...]:
    """Return the certificates (DER) in a variable's content. ValueError if there is anything else in it."""
    return tuple(entry[GUID_SIZE:] for entry in listed_entries(content))


def listed_entries(content: bytes) -> tuple[bytes, ...]:
    """Return the same as whole entries (EFI_SIGNATURE_DATA): the owner's GUID before each certificate."""
    entries = []
    while content:
        if len(content) < LIST_HEADER.size:
            raise ValueError("a signature list is cut off")
        guid, list_size, header_size, size = LIST_HEADER.unpack_from(content)
        if guid != EFI_CERT_X509.bytes_le or header_size != 0:
            raise ValueError("a signature list does not hold X.509 certificates")
        if size <= GUID_SIZE or list_size != LIST_HEADER.size + size or list_size > len(content):
            raise ValueError("a signature list has impossible sizes")
        entries.append(content[LIST_HEADER.size : list_size])
        content = content[list_size:]
    return tuple(entries)


def _parts(update: bytes) -> tuple[bytes, bytes, bytes]:
    """Take an update apart: time, SignedData, content."""
    if len(update) < TIME.size + CERTIFICATE_HEADER.size:
        raise ValueError("the file is cut off")
    time, rest = update[: TIME.size], update[TIME.size :]
    length, revision, kind, guid = CERTIFICATE_HEADER.unpack_from(rest)
    if (revision, kind, guid) != (0x0200, 0x0EF1, EFI_CERT_TYPE_PKCS7.bytes_le):
        raise ValueError("it does not begin like a signed variable update")
    return time, rest[CERTIFICATE_HEADER.size : length], rest[length:]


def _efi_time(moment: datetime) -> bytes:
    # Nanosecond, time zone and daylight must be 0 in an authenticated variable's time (section 8.2.2).
    at = moment.astimezone(UTC)
    return TIME.pack(at.year, at.month, at.day, at.hour, at.minute, at.second, 0, 0, 0)


def _covered(variable: Variable, time: bytes, content: bytes) -> bytes:
    name = variable.name.encode("utf-16-le")
    return name + variable.vendor.bytes_le + struct.pack("<I", ATTRIBUTES) + time + content
