"""The signed values of PCR 11: the TPM gives the key of the disk to this kernel image, and to nothing else."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from builder.keys import Role
from builder.verify import tpm
from builder.verify.boot import Esp, check_esp, within
from builder.verify.claim import Claim, Trial
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding
from builder.verify.formats.malformed import MalformedError
from builder.verify.formats.uki import SIGNATURES, UnifiedKernel

CLAIM = Claim(
    "pcr-signature",
    expected="signatures by the owner's pcr key over what PCR 11 holds in each phase of the usual start, and no others",
    proves="The TPM opens the disk for this kernel image, as it is, and for no other way to start it.",
    fails="The TPM would not open the disk for this kernel image, or would for something that was not looked at.",
)

# What the policy in each entry is for: a phase, and a word that is signed with it ("ref"). ukify signs the first phase
# a second time, for keys that only the initrd may ask for.
_SIGNED: frozenset[tuple[str, str | None]] = frozenset(
    {(phase, None) for phase in tpm.PHASES} | {(tpm.PHASES[0], "initrd")}
)
_BANK = "sha256"
_KEYS = {"pcrs", "pkfp", "pol", "sig"}


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim."""
    certificates = context.certificates(Role.PCR)
    yield from check_esp(CLAIM, disk, lambda trial, esp: _examine(trial, esp, certificates))


def _examine(trial: Trial, esp: Esp, certificates: Sequence[x509.Certificate]) -> str:
    kernel = esp.kernel()
    main, *others = kernel.profiles
    with within(kernel.file):
        if any(SIGNATURES in profile.sections for profile in others):
            raise MalformedError("signatures for another way than the usual one to start the image", 0)
        if SIGNATURES not in main.sections or ".pcrpkey" not in main.sections:
            raise MalformedError("no signatures, or no key", 0)
        key = _owners_key(kernel, certificates)
        values = tpm.kernel_phases(kernel, main)
        policies = {tpm.policy_digest(value).hex(): phase for phase, value in values.items()}
        place = main.sections[SIGNATURES].offset_bytes
        found = set()
        for entry in read_signatures(kernel.text(main.sections[SIGNATURES]), place):
            signed = (policies.get(entry["pol"], ""), entry.get("ref"))
            if signed not in _SIGNED or signed in found:
                raise MalformedError(f"a signature over what PCR 11 never holds, or one twice: {entry['pol']}", place)
            _verify(entry, key, place)
            found.add(signed)
    if found != _SIGNED:
        missing = ", ".join(sorted(f"{phase} {word or ''}".strip() for phase, word in _SIGNED - found))
        trial.wrong(f"no signature for {missing}", kernel.file.position(place))
    return f"{len(found)} signatures; PCR 11 is {values[tpm.PHASES[-1]].hex()} when the machine is up"


def _owners_key(kernel: UnifiedKernel, certificates: Sequence[x509.Certificate]) -> rsa.RSAPublicKey:
    section = kernel.profiles[0].sections[".pcrpkey"]
    content = kernel.content(section)
    for certificate in certificates:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and content == key.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ):
            return key
    raise MalformedError("the key in .pcrpkey is not that of the owner's pcr certificate", section.offset_bytes)


def read_signatures(text: str, place: int) -> list[dict[str, Any]]:
    """Return the signatures in the JSON that systemd-measure(1) writes."""
    try:
        document = json.loads(text)
        entries: list[dict[str, Any]] = document[_BANK]
        if document.keys() != {_BANK} or any(entry.keys() - {"ref"} != _KEYS for entry in entries):
            raise ValueError("unknown keys")
        if any(entry["pcrs"] != [tpm.PCR_KERNEL] for entry in entries):
            raise ValueError("other registers")
        if any(not isinstance(value, str) for entry in entries for name, value in entry.items() if name != "pcrs"):
            raise ValueError("something else than text")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedError(f"signatures that systemd does not write so: {error}", place) from None
    return entries


def _verify(entry: dict[str, Any], key: rsa.RSAPublicKey, place: int) -> None:
    der = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    signed = bytes.fromhex(entry["pol"])
    if "ref" in entry:
        signed += hashlib.sha256(entry["ref"].encode()).digest()
    try:
        signature = base64.b64decode(entry["sig"], validate=True)
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        raise MalformedError("a signature that the owner's pcr key did not make", place) from None
    if entry["pkfp"] != hashlib.sha256(der).hexdigest():
        raise MalformedError("a signature that names another key", place)
