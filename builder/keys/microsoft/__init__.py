"""Microsoft's certificates for the firmware of other makers' cards, as many firmwares' `db` lists them.

A graphics, network or storage card may bring firmware of its own (an option ROM), which its maker has had signed by
Microsoft. A firmware whose db lists only the owner's keys refuses it: the screen stays dark, or the disk behind the
card is not found, sometimes too early to get into the setup menu. So they are enrolled unless a profile leaves them
out.

Microsoft's certificates for Windows itself are not among them.

Source: Microsoft's repository "secureboot_objects" on GitHub, PreSignedObjects/DB/Certificates. The same certificates
are in the variables of Debian's package `ovmf` (OVMF_VARS_4M.ms.fd) and in its package `python3-virt-firmware`.
"""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from builder.errors import BuilderError, Location

# SHA-256 of each certificate (DER), as its three sources have it.
DIGESTS = {
    # Nearly all option ROMs that are out there. Its own end, in June 2026, changes nothing: firmware looks at no dates.
    "uefi-ca-2011.crt": "48e99b991f57fc52f76149599bff0a58c47154229b9f8d603ac40d3500248507",
    # Its successor, for boot programs; some cards' makers use it as well.
    "uefi-ca-2023.crt": "f6124e34125bee3fe6d79a574eaa7b91c0e7bd9d929c1a321178efd611dad901",
    # Its successor, for option ROMs.
    "option-rom-uefi-ca-2023.crt": "e5be3e64c6e66a281457ecdece0d6d0787577aad2a3a0144262c10c14ba8d8f1",
}


def microsoft_certificates(directory: Path = Path(__file__).parent) -> tuple[x509.Certificate, ...]:
    """Read the certificates. BuilderError if a file is not the one that was looked at."""
    return tuple(_certificate(directory / name, digest) for name, digest in DIGESTS.items())


def _certificate(path: Path, digest: str) -> x509.Certificate:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    if certificate.fingerprint(hashes.SHA256()).hex() != digest:
        raise BuilderError(
            "this is not the certificate that Microsoft has published",
            hint=f"Its SHA-256 should be {digest}; take the file from a clean copy of the repository",
            location=Location(path),
        )
    return certificate
