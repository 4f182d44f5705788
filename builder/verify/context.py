"""What the claims know besides the image: the certificates to check with, and the record of the build beside it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from builder.errors import BuilderError
from builder.keys import Role

RECORD = "build.json"


@dataclass(frozen=True)
class Trusted:
    """A certificate to check with. One that somebody named has no role, and may have signed anything."""

    name: str
    role: Role | None
    certificate: x509.Certificate

    @property
    def sha256(self) -> str:
        """Fingerprint of the DER, 64 hex digits."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()


@dataclass(frozen=True)
class Context:
    """`record` is the parsed build.json, None without one; `directory` is where it and the artifacts lie."""

    directory: Path
    trusted: tuple[Trusted, ...]
    record: dict[str, Any] | None

    def certificates(self, role: Role) -> tuple[x509.Certificate, ...]:
        """Return the certificates whose signature is good for this role."""
        return tuple(trusted.certificate for trusted in self.trusted if trusted.role in (None, role))


def load_context(directory: Path, certificates: Sequence[Path]) -> Context:
    """Read the record in `directory`, if there is one, and the certificates: those named, else the record's.

    BuilderError if a file cannot be read or is no certificate, or if there is none at all.
    """
    record = _record(directory / RECORD)
    named = tuple(_named(path) for path in certificates)
    trusted = named or _recorded(record or {})
    if not trusted:
        raise BuilderError(
            f"there is no certificate to check with: none was named, and {directory / RECORD} has none",
            hint="Name the owner's certificates, for example: --cert keys/db.crt --cert keys/verity.crt",
        )
    return Context(directory, trusted, record)


def _record(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_bytes())
        if not isinstance(record, dict):
            raise ValueError("no object")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        hint = "Remove it to check the image without it, and name the owner's certificates with --cert"
        raise BuilderError(f"{path} is not the record of a build: {error}", hint=hint) from error
    return record


def _named(path: Path) -> Trusted:
    hint = "Name a certificate in PEM or DER form, for example: --cert keys/db.crt"
    try:
        data = path.read_bytes()
        load = x509.load_pem_x509_certificate if data.startswith(b"-----") else x509.load_der_x509_certificate
        return Trusted(path.name, None, load(data))
    except OSError as error:
        raise BuilderError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except ValueError as error:
        raise BuilderError(f"{path} is not a certificate", hint=hint) from error


def _recorded(record: dict[str, Any]) -> tuple[Trusted, ...]:
    """Return the certificates of the record; records of older builds have fingerprints only."""
    listed = record.get("certificates")
    if not isinstance(listed, dict):
        return ()
    try:
        return tuple(
            Trusted(role, Role(role), x509.load_pem_x509_certificate(entry["pem"].encode()))
            for role, entry in listed.items()
            if isinstance(entry, dict)
        )
    except (ValueError, KeyError, AttributeError) as error:
        raise BuilderError(
            f"the certificates in {RECORD} cannot be read: {error}",
            hint="Name the owner's certificates, for example: --cert keys/db.crt --cert keys/verity.crt",
        ) from error
