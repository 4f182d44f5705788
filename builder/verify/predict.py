"""The TPM's registers after a start with the image, as far as they follow from it: see `builder.verify.tpm`."""

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from builder.keys import authvar
from builder.verify import tpm
from builder.verify.boot import BOOT_LOADERS, ENROLMENT, Esp, open_esp
from builder.verify.disk import Disk
from builder.verify.formats import authenticode, pe
from builder.verify.formats.malformed import MalformedError

_UPDATES = {authvar.PK: "PK.auth", authvar.KEK: "KEK.auth", authvar.DB: "db.auth"}
_MAX_UPDATE_BYTES = 64 << 10


def predicted_pcrs(disk: Disk, certificates: Sequence[x509.Certificate]) -> dict[int, str]:
    """Return PCR 4, 7 and 11 (hex, SHA-256 bank) of a machine that is up; none for an image that does not start.

    `certificates` are those that may have signed its programs. What the image says of itself is not parsed as one.
    """
    try:
        esp = open_esp(disk)
        kernel = esp.kernel()
        digests, accepted_by = [], dict[bytes, None]()
        variables = {variable: _content(esp, name) for variable, name in _UPDATES.items()}
        entries = {entry[authvar.GUID_SIZE :]: entry for entry in authvar.listed_entries(variables[authvar.DB])}
        listed = [certificate for certificate in certificates if certificate.public_bytes(Encoding.DER) in entries]
        for file in (esp.file(BOOT_LOADERS[0]), kernel.file):
            image = pe.read_image(file.read, file.size_bytes)
            digests.append(pe.authenticode_digest(file.read, image))
            signer = authenticode.signer(file.read, image, listed)
            # The firmware measures each entry that it accepts a program by once.
            accepted_by[entries[signer.public_bytes(Encoding.DER)]] = None
        phases = tpm.kernel_phases(kernel, kernel.profiles[0])
    except (MalformedError, ValueError):
        # The claims say what is wrong.
        return {}
    return {
        tpm.PCR_PROGRAMS: tpm.programs(digests).hex(),
        tpm.PCR_SECURE_BOOT: tpm.secure_boot(variables, tuple(accepted_by)).hex(),
        tpm.PCR_KERNEL: phases[tpm.PHASES[-1]].hex(),
    }


def _content(esp: Esp, name: str) -> bytes:
    file = esp.file(ENROLMENT + name)
    return authvar.unverified_content(file.read(0, min(file.size_bytes, _MAX_UPDATE_BYTES)))
