"""The owner's signing keys: made once, kept by the owner, loaded and checked by every build.

A key set is a directory (0700) with five key pairs and four enrolment files:

    PK.key  KEK.key  db.key  verity.key  pcr.key    private keys, PKCS#8 PEM, 0600
    PK.crt  KEK.crt  db.crt  verity.crt  pcr.crt    self-signed X.509 certificates, PEM
    PK.auth KEK.auth db.auth                        signed updates that a firmware in setup mode takes
    db-microsoft.auth                               the same as db.auth, with Microsoft's certificates for option ROMs

The enrolment files are signed when the set is made. From then on a build needs the private keys of db, verity and
pcr only; PK.key and KEK.key belong offline, on a medium that is not attached to the machine that builds.

    keys = create_keys(Path("keys"), "Ada")
    keys = load_keys(Path("keys"))
    keys.db.key, keys.db.certificate.path, keys.updates(microsoft=True)
"""

from builder.keys.create import create_keys, load_or_create_throwaway, signing_keys
from builder.keys.keyset import Certificate, KeyDescription, KeyPair, KeySet, Role, describe, enrolment_files
from builder.keys.load import load_keys
from builder.keys.stand_in import create_stand_ins

__all__ = [
    "Certificate",
    "KeyDescription",
    "KeyPair",
    "KeySet",
    "Role",
    "create_keys",
    "create_stand_ins",
    "describe",
    "enrolment_files",
    "load_keys",
    "load_or_create_throwaway",
    "signing_keys",
]
