"""The signed updates are what UEFI 2.10 sections 8.2.2 and 32.4 describe, and nobody can change a bit of them.

The layout is spelled out here once more, with bytes copied from the specification, so that a slip in authvar.py does
not confirm itself.
"""

import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7Options,
    PKCS7SignatureBuilder,
    load_der_pkcs7_certificates,
)

from builder.keys import authvar, pkcs7

GLOBAL = bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")
SECURITY_DATABASE = bytes.fromhex("cbb219d73a3d9645a3bcdad00e67656f")
X509 = bytes.fromhex("a159c0a5e494a74a87b5ab155c2bf072")
PKCS7 = bytes.fromhex("9dd2af4adf68ee498aa9347d375665a7")
RSA_2048_SIGNATURE_SIZE = 256

VARIABLES = [
    # variable, vendor, certificates in it, signer
    (authvar.PK, GLOBAL, ["PK"], "PK"),
    (authvar.KEK, GLOBAL, ["KEK"], "PK"),
    (authvar.DB, SECURITY_DATABASE, ["db", "verity"], "KEK"),
]


def certificate(directory: Path, role: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((directory / f"{role}.crt").read_bytes())


def private_key(directory: Path, role: str) -> rsa.RSAPrivateKey:
    key = load_pem_private_key((directory / f"{role}.key").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@pytest.mark.parametrize(("variable", "vendor", "roles", "signer"), VARIABLES)
def test_an_update_has_the_layout_and_the_signature_of_the_specification(
    pristine: Path, variable: authvar.Variable, vendor: bytes, roles: list[str], signer: str
) -> None:
    update = (pristine / f"{variable.name}.auth").read_bytes()
    born = certificate(pristine, roles[0]).not_valid_before_utc
    year, month, day, hour, minute, second = struct.unpack_from("<HBBBBB", update)
    assert datetime(year, month, day, hour, minute, second, tzinfo=UTC) == born
    assert update[7:16] == bytes(9)

    length, revision, kind = struct.unpack_from("<IHH", update, 16)
    assert (revision, kind, update[24:40]) == (0x0200, 0x0EF1, PKCS7)
    signed_data, content = update[40 : 16 + length], update[16 + length :]
    # Older firmware finds the digest algorithm at a fixed place, 13 bytes into a bare SignedData.
    assert signed_data[13:].startswith(bytes.fromhex("0609608648016503040201")[2:])

    name = variable.name.encode("utf-16-le")
    covered = name + vendor + (0x27).to_bytes(4, "little") + update[:16] + content
    public_key = certificate(pristine, signer).public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    public_key.verify(signed_data[-RSA_2048_SIGNATURE_SIZE:], covered, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(("variable", "vendor", "roles", "signer"), VARIABLES)
def test_the_content_is_one_signature_list_for_each_certificate(
    pristine: Path, variable: authvar.Variable, vendor: bytes, roles: list[str], signer: str
) -> None:
    update = (pristine / f"{variable.name}.auth").read_bytes()
    content = authvar.verified_content(variable, update, certificate(pristine, signer))
    owners = set()
    for role in roles:
        der = certificate(pristine, role).public_bytes(Encoding.DER)
        assert content[:28] == X509 + struct.pack("<III", 28 + 16 + len(der), 0, 16 + len(der))
        owners.add(content[28:44])
        assert content[44 : 44 + len(der)] == der
        content = content[44 + len(der) :]
    assert content == b""
    assert len(owners) == 1


def test_the_same_keys_give_the_same_bytes(pristine: Path) -> None:
    stored = (pristine / "db.auth").read_bytes()
    signer = certificate(pristine, "KEK")
    content = authvar.verified_content(authvar.DB, stored, signer)
    born = certificate(pristine, "db").not_valid_before_utc
    assert authvar.signed_update(authvar.DB, content, born, private_key(pristine, "KEK"), signer) == stored


def test_no_byte_of_an_update_can_change_unnoticed(pristine: Path) -> None:
    update = (pristine / "db.auth").read_bytes()
    signer = certificate(pristine, "KEK")
    unnoticed = []
    for offset in range(len(update)):
        changed = bytearray(update)
        changed[offset] ^= 0x01
        try:
            authvar.verified_content(authvar.DB, bytes(changed), signer)
            unnoticed.append(offset)
        except ValueError:
            pass
    assert unnoticed == []


def test_an_update_cut_off_anywhere_is_refused(pristine: Path) -> None:
    update = (pristine / "PK.auth").read_bytes()
    signer = certificate(pristine, "PK")
    for size in range(len(update)):
        with pytest.raises(ValueError, match=r"cut off|cut-off|DER|does not match"):
            authvar.verified_content(authvar.PK, update[:size], signer)


def test_an_update_is_no_update_of_another_variable(pristine: Path) -> None:
    update = (pristine / "KEK.auth").read_bytes()
    with pytest.raises(ValueError, match="signature does not match"):
        authvar.verified_content(authvar.DB, update, certificate(pristine, "PK"))


def test_attributes_in_a_signature_are_refused(pristine: Path) -> None:
    signer = certificate(pristine, "PK")
    builder = PKCS7SignatureBuilder().set_data(b"x").add_signer(signer, private_key(pristine, "PK"), hashes.SHA256())
    options = (PKCS7Options.DetachedSignature, PKCS7Options.Binary)
    with pytest.raises(ValueError, match="DER tags"):
        pkcs7.verify(pkcs7.unwrap(builder.sign(Encoding.DER, options)), b"x", signer)


BAD_LISTS = [
    (b"\0" * 27, "cut off"),
    (bytes(16) + struct.pack("<III", 28 + 17, 0, 17) + bytes(17), "do.* not hold X.509"),
    (X509 + struct.pack("<III", 28 + 17, 4, 17) + bytes(17), "do.* not hold X.509"),
    (X509 + struct.pack("<III", 28 + 16, 0, 16) + bytes(16), "impossible sizes"),
    (X509 + struct.pack("<III", 28 + 18, 0, 17) + bytes(18), "impossible sizes"),
    (X509 + struct.pack("<III", 28 + 17, 0, 17) + bytes(16), "impossible sizes"),
    (X509 + struct.pack("<III", 28 + 17, 0, 17) + bytes(18), "cut off"),
]


@pytest.mark.parametrize(("content", "message"), BAD_LISTS)
def test_bad_signature_lists_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        authvar.listed_certificates(content)


BAD_DER = [
    b"\x30",
    b"\x30\x02\x00",
    b"\x30\x80\x00\x00",  # indefinite length
    b"\x30\x81\x01\x00",  # a length written longer than it must be
    b"\x30\x82\x00\x80" + bytes(128),
    b"\x30\x82\x01",
    b"\x1f\x01\x00",
    b"\x30\x00\x30\x00",
    b"\x04\x00",
]


@pytest.mark.parametrize("data", BAD_DER)
def test_what_is_not_der_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="DER"):
        pkcs7.elements(data, pkcs7.SEQUENCE)


def test_only_signed_data_is_unwrapped(pristine: Path) -> None:
    update = (pristine / "PK.auth").read_bytes()
    (length,) = struct.unpack_from("<I", update, 16)
    signed_data = update[40 : 16 + length]

    def wrapped(content_type: str) -> bytes:
        explicit = b"\xa0\x82" + len(signed_data).to_bytes(2, "big") + signed_data
        body = bytes.fromhex(content_type) + explicit
        return b"\x30\x82" + len(body).to_bytes(2, "big") + body

    content_info = wrapped("06092a864886f70d010702")
    assert load_der_pkcs7_certificates(content_info) == [certificate(pristine, "PK")]
    assert pkcs7.unwrap(content_info) == signed_data
    for bad in (content_info + b"\0", signed_data, wrapped("06092a864886f70d010701")):
        with pytest.raises(ValueError, match=r"DER|not SignedData"):
            pkcs7.unwrap(bad)
