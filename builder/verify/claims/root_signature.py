"""The signature of the root hash, which the kernel asks for before it sets up a root."""

import base64
import json
from collections.abc import Iterator

from cryptography.hazmat.primitives import hashes

from builder.keys import Role
from builder.verify.claim import DISK, Claim, Trial
from builder.verify.claims.root_hash import named_root_hash
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding
from builder.verify.formats.cms import verify_signed_data
from builder.verify.formats.malformed import MalformedError
from builder.verify.layout import SIGNATURE

CLAIM = Claim(
    "root-signature",
    expected="the root hash, signed by the owner's certificate, and nothing else",
    proves="Who holds the owner's key has signed exactly this system.",
    fails="It is not shown that the owner signed this system, and a machine with the owner's keys does not start it.",
)

# repart makes it 16 KiB large.
_MAX_BYTES = 1 << 20


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim for the system."""
    yield from check_signature(CLAIM, disk, context)


def check_signature(claim: Claim, disk: Disk, context: Context, title: str = DISK) -> Iterator[Finding]:
    """Try the claim for the root of a disk."""
    trial, found = Trial(claim, disk, title), ""
    with trial.trying():
        named = named_root_hash(disk)
        trial = trial.within(disk.partition(SIGNATURE))
    with trial.trying():
        found = "" if trial.broken else _check(trial, named, context)
    yield from trial.findings(found)


def _check(trial: Trial, named: str, context: Context) -> str:
    disk = trial.disk
    if disk.size_bytes > _MAX_BYTES:
        raise MalformedError(f"a partition of {disk.size_bytes} bytes for a signature", 0)
    text = disk.read(0, disk.size_bytes).rstrip(b"\0")
    try:
        document = json.loads(text)
        root_hash, fingerprint = document["rootHash"], document["certificateFingerprint"]
        signature = base64.b64decode(document["signature"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MalformedError("no JSON object with a root hash, a fingerprint and a signature", 0) from None
    # Written again as systemd writes it, so that nothing else can be in it.
    again = {
        "rootHash": root_hash,
        "certificateFingerprint": fingerprint,
        "signature": base64.b64encode(signature).decode(),
    }
    if json.dumps(again, separators=(",", ":")).encode() != text:
        raise MalformedError("more than a root hash, a fingerprint and a signature", 0)
    if root_hash != named:
        trial.wrong(f"a signature for the root hash {root_hash}", 0, f"one for {named}")
    signer = verify_signed_data(signature, named.encode(), context.certificates(Role.VERITY))
    if fingerprint != signer.fingerprint(hashes.SHA256()).hex():
        raise MalformedError("the fingerprint of another certificate", 0)
    return f"signed by {fingerprint}"
