"""Make a key set: all of its files, or none.

The set is written into a hidden directory beside its place and renamed when it is complete, so an interruption or a
full disk leaves no half key set, and an existing one is never touched.
"""

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from builder import log
from builder.errors import BuilderError, Location
from builder.keys import authvar
from builder.keys.keyset import DB_WITH_MICROSOFT, THROWAWAY_OWNER, KeySet, Role
from builder.keys.load import KEY_BITS, load_keys
from builder.keys.microsoft import microsoft_certificates

# Neither UEFI firmware nor the kernel looks at the dates, so an early end would protect nothing and only break the
# tools that do look. This is the last moment in the form (UTCTime) that every parser of certificates has met.
NOT_AFTER = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)

_SUBJECT_SUFFIXES = {
    Role.PK: " ClaudineOS Secure Boot PK",
    Role.KEK: " ClaudineOS Secure Boot KEK",
    Role.DB: " ClaudineOS Secure Boot db",
    Role.VERITY: " ClaudineOS verity",
    Role.PCR: " ClaudineOS TPM PCR",
}
# RFC 5280 allows a common name 64; firmware menus show nothing else of a certificate, so the owner goes there.
MAX_OWNER_BYTES = 64 - max(map(len, _SUBJECT_SUFFIXES.values()))

# Namespace of the owner GUIDs in the signature lists.
_OWNER_NAMESPACE = uuid.UUID("0d1f7c0e-6a52-4b7e-9f0d-4f5a7a0a6c11")


@dataclass(frozen=True)
class _Issued:
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate


def create_keys(directory: Path, owner: str) -> KeySet:
    """Make five key pairs and the four signed updates for `owner` in `directory`, and load them.

    BuilderError if `directory` exists and is not empty, cannot be written, or `owner` does not fit a certificate.
    """
    _check_owner(owner)
    try:
        _check_target(directory)
        issued = _issue_all(owner)
        private = {role.key_name: _key_pem(pair.key) for role, pair in issued.items()}
        public = {role.certificate_name: pair.certificate.public_bytes(Encoding.PEM) for role, pair in issued.items()}
        _write_directory(directory, private, public | _updates(issued))
    except OSError as error:
        raise _unwritable(directory, error) from error
    return load_keys(directory)


def signing_keys(directory: Path | None, throwaway: Path) -> KeySet:
    """Load the owner's key set in `directory`; without one, the throw-away set in `throwaway`, and warn of it."""
    if directory:
        return load_keys(directory)
    keys = load_or_create_throwaway(throwaway)
    log.warning(f"signing with throw-away keys from {throwaway}; use --keys for a real device")
    return keys


def load_or_create_throwaway(directory: Path) -> KeySet:
    """Load the throw-away set in `directory`, or make it (and the directories above it).

    For a first try without `--keys`. BuilderError if what is there is broken, or is somebody's real key set.
    """
    try:
        found = directory.exists()
        directory.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(directory, error) from error
    if not found:
        return create_keys(directory, THROWAWAY_OWNER)
    try:
        keys = load_keys(directory)
    except BuilderError as error:
        raise BuilderError(
            f"the throw-away keys are damaged: {error.message}",
            hint=f"Delete {directory}; the next build makes a new throw-away set",
            location=error.location,
        ) from error
    if not keys.throwaway:
        raise BuilderError(
            "these are somebody's real keys where a throw-away set should be",
            hint=f"Move them elsewhere and build with --keys, for example: --keys {Path.home() / 'claudineos-keys'}",
            location=Location(directory),
        )
    return keys


def _unwritable(directory: Path, error: OSError) -> BuilderError:
    return BuilderError(
        f"the keys cannot be written: {error.strerror}",
        hint="Nothing was kept. Name a directory that does not exist yet, on a file system with Unix permissions "
        "(not FAT) and with free space, for example ~/claudineos-keys",
        location=Location(directory),
    )


def _check_owner(owner: str) -> None:
    # Printable first: what is no text at all (a stray byte on the command line) cannot be encoded.
    if not (owner.isprintable() and owner == owner.strip() and 0 < len(owner.encode()) <= MAX_OWNER_BYTES):
        raise BuilderError(
            f"the owner's name {owner!r} does not fit into a certificate",
            hint=f"Use 1 to {MAX_OWNER_BYTES} bytes of printable text, for example: --owner 'Ada Lovelace'",
        )


def _check_target(directory: Path) -> None:
    """Say early, and in better words than the rename would, why there can be no new key set."""
    if directory.exists() and not directory.is_dir():
        message = "this is a file, not a directory"
    elif directory.exists() and any(directory.iterdir()):
        message = "the directory is not empty, and keys are never overwritten"
    elif directory.is_symlink() or directory.is_mount():
        message = "a link or a mount point cannot become a key directory"
    elif not directory.parent.is_dir():
        message = f"there is no directory {directory.parent}"
    else:
        return
    raise BuilderError(
        message,
        hint="Name a new directory inside an existing one, for example ~/claudineos-keys",
        location=Location(directory),
    )


def _issue_all(owner: str) -> dict[Role, _Issued]:
    now = datetime.now(UTC).replace(microsecond=0)
    return {role: _issue(owner + suffix, now) for role, suffix in _SUBJECT_SUFFIXES.items()}


def _issue(common_name: str, now: datetime) -> _Issued:
    """Make a key and its self-signed certificate.

    RSA-2048 for every role: all UEFI firmware and every TPM 2.0 accept it, which is true of no other kind of key; and
    its PKCS#1 v1.5 signatures hold nothing random, so rebuilding an image gives the same bytes, signatures included.

    Each certificate is trusted by being listed (in a UEFI variable, in /usr/lib/verity.d), never through a chain. So
    it is no CA: otherwise whoever holds the key could issue certificates that the firmware would trust as well. The
    key usage is the one that PKCS#7 verification looks for; the kernel finds the certificate by its key identifier.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Issued(key, certificate)


def _updates(issued: dict[Role, _Issued]) -> dict[str, bytes]:
    """Sign the updates of PK, KEK and db, while PK's and KEK's private keys are at hand; that of db in two variants,
    since only a profile says whether Microsoft's certificates are wanted.

    db lists verity's certificate beside its own: the kernel checks a root hash's signature against its .platform
    keyring, which is filled from the firmware's db. The price is that the verity key could sign a boot program too,
    so it needs the same care as the db key.
    """
    pk, kek = issued[Role.PK], issued[Role.KEK]
    owner = uuid.uuid5(_OWNER_NAMESPACE, pk.certificate.fingerprint(hashes.SHA256()).hex())

    def update(
        variable: authvar.Variable, roles: tuple[Role, ...], signer: _Issued, others: tuple[x509.Certificate, ...] = ()
    ) -> bytes:
        content = authvar.signature_lists([*(issued[role].certificate for role in roles), *others], owner)
        timestamp = issued[roles[0]].certificate.not_valid_before_utc
        return authvar.signed_update(variable, content, timestamp, signer.key, signer.certificate)

    return {
        Role.PK.update_name: update(authvar.PK, (Role.PK,), pk),
        Role.KEK.update_name: update(authvar.KEK, (Role.KEK,), pk),
        Role.DB.update_name: update(authvar.DB, (Role.DB, Role.VERITY), kek),
        DB_WITH_MICROSOFT: update(authvar.DB, (Role.DB, Role.VERITY), kek, microsoft_certificates()),
    }


def _key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_directory(directory: Path, private: dict[str, bytes], public: dict[str, bytes]) -> None:
    """Write all files, flush them to the medium, and only then give the directory its name. OSError on failure."""
    # Made with mode 0700 whatever the umask is; on the same file system, so that the rename is atomic.
    staging = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        for name, data in private.items():
            _write_file(staging / name, data, 0o600)
        for name, data in public.items():
            _write_file(staging / name, data, 0o644)
        _flush_directory(staging)
        # Fails, rather than replaces, if somebody filled the directory meanwhile.
        staging.rename(directory)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    # The keys are there: a parent that cannot be flushed (no right to list it) is no reason to say otherwise.
    with contextlib.suppress(OSError):
        _flush_directory(directory.parent)


def _write_file(path: Path, data: bytes, mode: int) -> None:
    """Write a new file that never has a wider mode than `mode`, and in the end exactly that."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        # A narrow umask would have taken the readers of a certificate away.
        os.fchmod(descriptor, mode)
        # FAT says yes to any mode and keeps its own: on a USB stick the keys would lie open to every user.
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & ~mode:
            raise OSError(errno.EPERM, "the file system does not keep Unix permissions")
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
