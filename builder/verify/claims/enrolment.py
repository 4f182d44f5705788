"""The enrolment files: with them, a firmware in setup mode comes to trust the owner, and nobody unexpected."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from builder.keys import Role, authvar
from builder.keys.microsoft import microsoft_certificates
from builder.verify.boot import ENROLMENT, Esp, check_esp, within
from builder.verify.claim import Claim, Trial
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding
from builder.verify.formats.fat import File
from builder.verify.formats.malformed import MalformedError

CLAIM = Claim(
    "enrolment",
    expected="signed updates of PK, KEK and db that list the owner's certificates, and in db perhaps Microsoft's",
    proves="A firmware that takes the keys on this disk trusts the owner's certificates, and no others but Microsoft's "
    "where the finding names them.",
    fails="A firmware that takes the keys on this disk may end up trusting somebody else, or nobody; or the "
    "certificates PK.crt, KEK.crt, db.crt and verity.crt were not all among those to check with.",
)

_MAX_BYTES = 64 << 10


@dataclass(frozen=True)
class _Update:
    file: str
    variable: authvar.Variable
    lists: tuple[Role, ...]
    signer: Role


_UPDATES = (
    _Update("PK.auth", authvar.PK, (Role.PK,), Role.PK),
    _Update("KEK.auth", authvar.KEK, (Role.KEK,), Role.PK),
    _Update("db.auth", authvar.DB, (Role.DB, Role.VERITY), Role.KEK),
)


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim for the three files."""
    yield from check_esp(CLAIM, disk, lambda trial, esp: _examine(trial, esp, context))


def _examine(trial: Trial, esp: Esp, context: Context) -> str:
    others = ""
    for update in _UPDATES:
        with trial.trying():
            file = esp.file(ENROLMENT + update.file)
            with within(file):
                if _check_update(file, update, context):
                    others = " and Microsoft's"
    return f"updates of PK, KEK and db that list the owner's certificates{others}"


def _check_update(file: File, update: _Update, context: Context) -> bool:
    """Check one file, and say whether it lists Microsoft's certificates as well."""
    if file.size_bytes > _MAX_BYTES:
        raise MalformedError(f"{file.size_bytes} bytes", 0)
    content = _signed_content(file.read(0, file.size_bytes), update, context.certificates(update.signer))
    try:
        listed = authvar.listed_certificates(content)
    except ValueError as error:
        raise MalformedError(str(error), 0) from None
    owners, others = listed[: len(update.lists)], listed[len(update.lists) :]
    for role, der in zip(update.lists, owners, strict=False):
        if der not in _encoded(context.certificates(role)):
            raise MalformedError(f"another certificate than the owner's for {role}", 0)
    if len(owners) != len(update.lists):
        raise MalformedError(f"{len(owners)} certificates where {len(update.lists)} belong", 0)
    if others and (update.variable != authvar.DB or others != _encoded(microsoft_certificates())):
        raise MalformedError("certificates that are neither the owner's nor Microsoft's", 0)
    return bool(others)


def _signed_content(data: bytes, update: _Update, signers: Sequence[x509.Certificate]) -> bytes:
    refused = f"there is no certificate for {update.signer} to check it with"
    for signer in signers:
        try:
            return authvar.verified_content(update.variable, data, signer)
        except ValueError as error:
            refused = str(error)
    raise MalformedError(refused, 0)


def _encoded(certificates: Sequence[x509.Certificate]) -> tuple[bytes, ...]:
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in certificates)
