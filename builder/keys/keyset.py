"""What a key set is: roles, file names, and the frozen value that a build works with.

Nothing here holds private key material, only the path to it: the programs that sign read the file themselves.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from builder.errors import BuilderError, Location

# The owner's name in a set that a first build makes for itself. It ends up in every certificate's subject, so a
# firmware's setup menu shows it too.
THROWAWAY_OWNER = "THROW-AWAY, not for real devices"


class Role(StrEnum):
    """What a key pair signs. The values are the usual names of the UEFI variables, and begin our file names."""

    PK = "PK"
    KEK = "KEK"
    DB = "db"
    VERITY = "verity"
    PCR = "pcr"

    @property
    def key_name(self) -> str:
        """File name of the private key."""
        return f"{self}.key"

    @property
    def certificate_name(self) -> str:
        """File name of the certificate."""
        return f"{self}.crt"

    @property
    def update_name(self) -> str:
        """File name of the signed variable update; only the first three roles have one."""
        return f"{self}.auth"

    @property
    def purpose(self) -> str:
        """What the key is for, as a clause that a person understands."""
        return _PURPOSES[self]


_PURPOSES = {
    Role.PK: "owns the firmware: signs changes of PK and KEK",
    Role.KEK: "signs changes of db, the list of keys whose programs the firmware starts",
    Role.DB: "signs the boot loader and the kernel image of every build",
    Role.VERITY: "signs the root hash of every system and model image, which the kernel checks",
    Role.PCR: "signs the TPM measurements (PCR 11) that unlock the device's encrypted state",
}

# The update of db that lists Microsoft's certificates after the owner's.
DB_WITH_MICROSOFT = "db-microsoft.auth"

# Their private keys only change what the firmware trusts; no build uses them.
OFFLINE_ROLES = frozenset({Role.PK, Role.KEK})


@dataclass(frozen=True)
class Certificate:
    """One certificate: `subject` is its common name, `sha256` the DER's digest (64 hex digits), `not_after` is UTC.

    `pem` is the certificate and nothing else, whatever stands beside it in its file.
    """

    path: Path
    subject: str
    sha256: str
    pem: str
    not_after: datetime
    key_bits: int


@dataclass(frozen=True)
class KeyPair:
    """A certificate and where its private key is, or would be if it were not kept offline."""

    role: Role
    certificate: Certificate
    key: Path
    key_present: bool


@dataclass(frozen=True)
class KeySet:
    """A key set whose files were read and found to belong together.

    The private keys of db, verity and pcr are present; those of PK and KEK may be offline. `has_microsoft` says whether
    there is an update of db with Microsoft's certificates: early key sets have none. `shown_pcr_key` is the public key
    (PEM) that an image is to name for its PCR signatures when the key of another owner stands in for it (`stand_in`).
    """

    directory: Path
    pk: KeyPair
    kek: KeyPair
    db: KeyPair
    verity: KeyPair
    pcr: KeyPair
    has_microsoft: bool
    shown_pcr_key: str | None = None

    @property
    def pairs(self) -> tuple[KeyPair, ...]:
        """All five, in the order of `Role`."""
        return (self.pk, self.kek, self.db, self.verity, self.pcr)

    def updates(self, *, microsoft: bool) -> dict[str, Path]:
        """Give what a firmware in setup mode is enrolled with, by the names that systemd-boot looks for.

        BuilderError if Microsoft's certificates are wanted and the set has no update with them.
        """
        if microsoft and not self.has_microsoft:
            raise BuilderError(
                f"this key set has no {DB_WITH_MICROSOFT}: it is from before there was one, and KEK.key has to sign it",
                hint="Make a new key set with: claudineos keys create DIR; or, for machines whose cards start without "
                "Microsoft's certificates, write boot: {microsoft_certificates: false} into the profile",
                location=Location(self.directory),
            )
        return {name: self.directory / file for name, file in enrolment_files(microsoft=microsoft).items()}

    @property
    def throwaway(self) -> bool:
        """Whether the set was made by a first build for itself, and must not sign what a real device runs."""
        return any(pair.certificate.subject.startswith(THROWAWAY_OWNER) for pair in self.pairs)


def enrolment_files(*, microsoft: bool) -> dict[str, str]:
    """Give the files of a key set that a firmware is enrolled with, by the names that systemd-boot looks for."""
    names = {role.update_name: role.update_name for role in (Role.PK, Role.KEK, Role.DB)}
    return {**names, Role.DB.update_name: DB_WITH_MICROSOFT} if microsoft else names


@dataclass(frozen=True)
class KeyDescription:
    """One line of `keys show`, all of it fit for JSON: colon-separated fingerprint, ISO 8601 expiry."""

    role: str
    purpose: str
    subject: str
    sha256: str
    not_after: str
    expired: bool
    key_bits: int
    private_key_present: bool


def describe(keys: KeySet, now: datetime) -> tuple[KeyDescription, ...]:
    """Say what a person wants to know of each key. `now` has a time zone.

    Expiry is told and not enforced: neither firmware nor kernel looks at a certificate's dates, so a device keeps
    booting, and refusing to build would only keep its owner from updating it.
    """
    return tuple(
        KeyDescription(
            role=str(pair.role),
            purpose=pair.role.purpose,
            subject=pair.certificate.subject,
            sha256=bytes.fromhex(pair.certificate.sha256).hex(":").upper(),
            not_after=pair.certificate.not_after.isoformat(),
            expired=pair.certificate.not_after < now,
            key_bits=pair.certificate.key_bits,
            private_key_present=pair.key_present,
        )
        for pair in keys.pairs
    )
