"""Read a key set and refuse one that could not sign a bootable image, or would lock its owner out of a machine.

Every file is parsed, every key is compared with its certificate, and each signed update must name exactly the
certificates beside it: a firmware that was enrolled with somebody else's db would refuse everything built here.
The firmware itself does not protect an owner from that. In setup mode it takes whatever it is given: OVMF enrolled
a PK.auth with a flipped byte, and after that no update could be verified any more.
"""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from builder.errors import BuilderError, Location
from builder.keys import authvar
from builder.keys.keyset import DB_WITH_MICROSOFT, OFFLINE_ROLES, Certificate, KeyPair, KeySet, Role
from builder.keys.microsoft import microsoft_certificates

# Why no other size is taken: see create._issue.
KEY_BITS = 2048

_RESTORE = "Restore it from your backup of the key set, or make a new set with: claudineos keys create DIR"


@dataclass(frozen=True)
class _Update:
    """Which variable an .auth file sets, what it must list, and who must have signed it."""

    variable: authvar.Variable
    lists: tuple[Role, ...]
    signer: Role


# By the names of their files. That of db may list Microsoft's certificates as well, and then has another name.
_UPDATES = {
    Role.PK.update_name: _Update(authvar.PK, (Role.PK,), Role.PK),
    Role.KEK.update_name: _Update(authvar.KEK, (Role.KEK,), Role.PK),
    Role.DB.update_name: _Update(authvar.DB, (Role.DB, Role.VERITY), Role.KEK),
}


def load_keys(directory: Path) -> KeySet:
    """Read and check the key set in `directory`. The private keys of PK and KEK may be missing: no build needs them.

    BuilderError names the first file that is missing, unreadable for us or readable for others, no RSA-2048 key or
    certificate, protected by a passphrase, or does not belong to the rest. An expired certificate is no error: see
    `keyset.describe`.
    """
    try:
        found = directory.is_dir()
    except OSError as error:
        raise _unreadable(directory, error) from error
    if not found:
        raise BuilderError(
            "there is no such key directory",
            hint=f"Make a key set with: claudineos keys create {directory}",
            location=Location(directory),
        )
    # The programs that sign run in directories of their own.
    directory = directory.absolute()
    certificates = {role: _certificate(directory / role.certificate_name) for role in Role}
    pk, kek, db, verity, pcr = (key_pair(directory, role, certificates[role]) for role in Role)
    for update in _UPDATES:
        check_update(directory / update, certificates)
    has_microsoft = (directory / DB_WITH_MICROSOFT).exists()
    if has_microsoft:
        check_update(directory / DB_WITH_MICROSOFT, certificates)
    return KeySet(directory, pk, kek, db, verity, pcr, has_microsoft)


def key_pair(directory: Path, role: Role, certificate: x509.Certificate) -> KeyPair:
    """Describe the pair of a role, whose certificate was read; BuilderError if the private key is not the right one."""
    key = directory / role.key_name
    present = key.exists() or role not in OFFLINE_ROLES
    if present and not _signs_for(_private_key(key), certificate):
        raise BuilderError(
            f"this private key does not belong to {role.certificate_name}", hint=_RESTORE, location=Location(key)
        )
    described = Certificate(
        path=directory / role.certificate_name,
        subject=_common_name(certificate),
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        pem=certificate.public_bytes(Encoding.PEM).decode(),
        not_after=certificate.not_valid_after_utc,
        key_bits=KEY_BITS,
    )
    return KeyPair(role, described, key, present)


def _signs_for(key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> bool:
    """Say whether what `key` signs is good in the eyes of `certificate`, whose key is known to be RSA."""
    public_key = certificate.public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    try:
        public_key.verify(key.sign(b"", padding.PKCS1v15(), hashes.SHA256()), b"", padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _certificate(path: Path) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(_read(path))
        public_key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BuilderError("this is not a certificate in PEM form", hint=_RESTORE, location=Location(path)) from error
    _check_kind(public_key, path)
    return certificate


def _private_key(path: Path) -> rsa.RSAPrivateKey:
    data = _read(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BuilderError(
            "other users can read or change this private key",
            hint=f"If nobody has, close it with: chmod 600 {path}",
            location=Location(path),
        )
    try:
        # Testing the primes again would take 50 ms a key in every build. A signature is tried instead: see _signs_for.
        key = load_pem_private_key(data, password=None, unsafe_skip_rsa_key_validation=True)
    except TypeError as error:
        # What `cryptography` raises for a protected key without a passphrase.
        raise BuilderError(
            "this private key is protected by a passphrase, and a build asks no questions",
            hint="Keep the key set on an encrypted disk instead, and take the passphrase off with: "
            f"openssl pkey -in {path} -out NEW_FILE",
            location=Location(path),
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BuilderError("this is not a private key in PEM form", hint=_RESTORE, location=Location(path)) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _wrong_kind(path)
    return key


def _check_kind(public_key: object, path: Path) -> None:
    if not isinstance(public_key, rsa.RSAPublicKey) or public_key.key_size != KEY_BITS:
        raise _wrong_kind(path)


def _wrong_kind(path: Path) -> BuilderError:
    return BuilderError(
        f"this is not an RSA key of {KEY_BITS} bits, the one kind that all firmware and every TPM 2.0 accept",
        hint="Make a key set with: claudineos keys create DIR",
        location=Location(path),
    )


def check_update(path: Path, certificates: Mapping[Role, x509.Certificate]) -> None:
    """Check a file that enrols the firmware. BuilderError unless the right one of `certificates` signed it, and it
    lists exactly those that its name promises.
    """
    with_microsoft = path.name == DB_WITH_MICROSOFT
    update = _UPDATES[Role.DB.update_name if with_microsoft else path.name]
    others = microsoft_certificates() if with_microsoft else ()
    expected = tuple(
        certificate.public_bytes(Encoding.DER)
        for certificate in (*(certificates[role] for role in update.lists), *others)
    )
    try:
        content = authvar.verified_content(update.variable, _read(path), certificates[update.signer])
        listed = authvar.listed_certificates(content)
    except ValueError as error:
        message = f"this is not an update of {update.variable.name} signed by {update.signer.certificate_name}: {error}"
        raise BuilderError(message, hint=_RESTORE, location=Location(path)) from error
    if listed != expected:
        names = " and ".join(role.certificate_name for role in update.lists)
        names += " and Microsoft's certificates" if with_microsoft else ""
        raise BuilderError(f"this does not list {names}, exactly", hint=_RESTORE, location=Location(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise BuilderError("this file of the key set is missing", hint=_RESTORE, location=Location(path)) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> BuilderError:
    return BuilderError(
        f"this cannot be read: {error.strerror}",
        hint="Run as the user who owns the key set",
        location=Location(path),
    )


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()
