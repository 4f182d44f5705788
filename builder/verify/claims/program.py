"""What is checked of every program that the firmware starts."""

import re
from collections.abc import Sequence

from cryptography import x509

from builder.verify.boot import within
from builder.verify.claim import Trial
from builder.verify.formats import authenticode, pe
from builder.verify.formats.fat import File
from builder.verify.formats.malformed import MalformedError

_MAGIC = re.compile(rb"#### LoaderInfo: ([a-z-]+) ([ -~]+) ####\0*")
_MAX_MAGIC_BYTES = 256


def check_program(trial: Trial, file: File, name: str, certificates: Sequence[x509.Certificate]) -> str:
    """Note what is wrong with a program of systemd's and its signature; return what it is and who signed it."""
    with within(file):
        image = pe.read_image(file.read, file.size_bytes)
        signer = authenticode.signer(file.read, image, certificates)
        version = _version(file, image, name)
        digest = pe.authenticode_digest(file.read, image)
    if pe.computed_checksum(file.read, image) != image.checksum:
        trial.wrong(f"{file.path}: a wrong checksum in the header", file.position(image.checksum_offset))
    return f"{name} {version}, digest {digest.hex()}, signed by {signer.subject.rfc4514_string()}"


def _version(file: File, image: pe.Image, name: str) -> str:
    """Return the version that the program says it has: a program that says nothing is none of systemd's."""
    for section in image.named(".sdmagic"):
        said = _MAGIC.fullmatch(file.read(section.offset_bytes, min(section.size_bytes, _MAX_MAGIC_BYTES)))
        if said and said[1].decode() == name:
            return said[2].decode()
    raise MalformedError(f"not {name}", 0)
