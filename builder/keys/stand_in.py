"""Keys that stand in for an owner's private ones, so that somebody else can rebuild what only the owner could sign.

Each stand-in certificate says what the owner's says, in as many bytes, with another public key: so all that is around a
signature stays where it is. What the image shows of the owner (the public key in the kernel image, and the files that
enrol the firmware) is the owner's own, which whoever has the image has.

What is signed with such keys starts on no machine.
"""

from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from builder.errors import BuilderError
from builder.keys.keyset import DB_WITH_MICROSOFT, OFFLINE_ROLES, KeySet, Role
from builder.keys.load import KEY_BITS, check_update, key_pair

_HINT = "Take the image and all that was published with it from the same place"


def create_stand_ins(directory: Path, certificates: Mapping[Role, str], updates: Mapping[str, bytes]) -> KeySet:
    """Make keys in the empty `directory` that stand in for those of the owner of `certificates` (PEM, one a role).

    `updates` are the files that enrol the firmware, by their names in a key set. BuilderError if one of them is not
    signed by these certificates, or lists others; or if one of these is not a certificate of the kind that we make.
    """
    owner = {role: _certificate(role, certificates[role]) for role in Role}
    for name, update in updates.items():
        (directory / name).write_bytes(update)
        try:
            check_update(directory / name, owner)
        except BuilderError as error:
            raise BuilderError(f"{name} does not belong to these certificates: {error.message}", hint=_HINT) from error
    used = {role: _write(directory, role, certificate) for role, certificate in owner.items()}
    pk, kek, db, verity, pcr = (key_pair(directory, role, used[role]) for role in Role)
    public_key = owner[Role.PCR].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return KeySet(directory, pk, kek, db, verity, pcr, DB_WITH_MICROSOFT in updates, public_key.decode())


def _certificate(role: Role, pem: str) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        public_key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BuilderError(f"what should be the owner's certificate {role} is none: {error}", hint=_HINT) from error
    if not isinstance(public_key, rsa.RSAPublicKey) or public_key.key_size != KEY_BITS:
        raise BuilderError(f"the owner's key {role} is no RSA key of {KEY_BITS} bits", hint=_HINT)
    return certificate


def _write(directory: Path, role: Role, owner: x509.Certificate) -> x509.Certificate:
    """Write a role's files and return its certificate. PK and KEK sign nothing in a build, so the owner's is kept."""
    certificate = owner
    if role not in OFFLINE_ROLES:
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        path = directory / role.key_name
        path.touch(mode=0o600)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        certificate = _alike(owner, key)
    (directory / role.certificate_name).write_bytes(certificate.public_bytes(Encoding.PEM))
    return certificate


def _alike(owner: x509.Certificate, key: rsa.RSAPrivateKey) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder(subject_name=owner.subject, issuer_name=owner.issuer, public_key=key.public_key())
        .serial_number(owner.serial_number)
        .not_valid_before(owner.not_valid_before_utc)
        .not_valid_after(owner.not_valid_after_utc)
    )
    for extension in owner.extensions:
        value: x509.ExtensionType = extension.value
        if isinstance(value, x509.SubjectKeyIdentifier):
            value = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(value, critical=extension.critical)
    return builder.sign(key, hashes.SHA256())
