"""Where an image holds what only the owner's private keys can make, to compare all the rest without them.

    signatures(disk)      # (Signed("/EFI/Linux/….efi, signature", offset_bytes, size_bytes), …)
    Unsigned(disk, …)     # the same disk, with zeros in these places

In each program for the firmware, and in the kernel inside of one: the signature, and the checksum of the file, which
depends on it. In `.pcrsig`: the signature, the fingerprint of the key, and the policy digest; the latter because PCR 11
measures the kernel with its signature. Beside the root hash: its signature, and the fingerprint of the certificate.
"""

import hashlib
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from builder.compare.source import Extents, Source, part
from builder.verify.formats.fat import File, read_volume
from builder.verify.formats.gpt import SECTOR_BYTES, read_table
from builder.verify.formats.malformed import MalformedError
from builder.verify.formats.pe import read_image
from builder.verify.layout import ESP, MODEL, SIGNATURE

_PCR_SIGNATURE = re.compile(rb'"(?P<name>sig|pkfp|pol)": "(?P<value>[0-9A-Za-z+/=]*)"')
_ROOT_SIGNATURE = re.compile(rb'"(?P<name>signature|certificateFingerprint)":"(?P<value>[0-9A-Za-z+/=]*)"')
_MAX_JSON_BYTES = 1 << 20
_CHECKSUM_BYTES = 4
PROGRAM_SUFFIX = ".efi"

# What a file is, by its SHA-256.
Digests = dict[str, str]

# "PE Format": where the header is named; and from the optional header's start, the fields of interest.
_HEADER_AT, _OPTIONAL_HEADER = 0x3C, 24
_CHECKSUM, _DIRECTORY_COUNT, _CERTIFICATES, _CERTIFICATE_DIRECTORY = 64, 108, 144, 4
_CERTIFICATE_HEADER_BYTES = 8


@dataclass(frozen=True, order=True)
class Signed:
    """A place: `what` is there for a person; the offset is from the start of the image or file."""

    offset_bytes: int
    size_bytes: int
    what: str


@dataclass(frozen=True)
class Unsigned:
    """A source with zeros in the places of its signatures."""

    source: Source
    places: Sequence[Signed]

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return self.source.size_bytes

    def read(self, offset: int, size: int, /) -> bytes:
        """Return exactly these bytes; MalformedError past the end."""
        data = bytearray(self.source.read(offset, size))
        for place in self.places:
            start = max(place.offset_bytes, offset)
            end = min(place.offset_bytes + place.size_bytes, offset + size)
            if start < end:
                data[start - offset : end - offset] = bytes(end - start)
        return bytes(data)


def disk_signatures(source: Source) -> Iterator[Signed]:
    """Yield the places in a disk image, or in a model image; MalformedError if its partitions cannot be read."""
    for partition in read_table(source.read).partitions:
        inner = part(source, partition.offset_bytes, partition.size_bytes)
        found: Iterator[Signed] = iter(())
        if partition.type == SIGNATURE:
            found = _values(_ROOT_SIGNATURE, inner, partition.label)
        elif partition.type == MODEL:
            found = disk_signatures(inner)
        elif partition.type == ESP:
            found = _esp_signatures(inner)
        for place in found:
            yield Signed(partition.offset_bytes + place.offset_bytes, place.size_bytes, place.what)


def signed_digests(source: Source) -> Digests:
    """Return the SHA-256 of what holds such places: the disk image, the programs on its ESP, and its model image."""
    found = {_sha256(source): "the disk image"}
    try:
        for partition in read_table(source.read).partitions:
            inner = part(source, partition.offset_bytes, partition.size_bytes)
            if partition.type == ESP:
                found |= {_sha256(file): f"/{path}" for path, file in _programs(inner)}
            elif partition.type == MODEL:
                # The partition may be larger than the image in it, which ends with the copy of its table.
                sectors = read_table(inner.read).header.other + 1
                found[_sha256(part(inner, 0, sectors * SECTOR_BYTES))] = "the model image"
    except MalformedError:
        pass
    return found


def _sha256(source: Source) -> str:
    found = hashlib.sha256()
    for chunk in part(source, 0, source.size_bytes).chunks():
        found.update(chunk)
    return found.hexdigest()


def _programs(esp: Extents) -> Iterator[tuple[str, File]]:
    for path, file in read_volume(esp.read, esp.size_bytes).files.items():
        if path.lower().endswith(PROGRAM_SUFFIX):
            yield path, file


def _esp_signatures(esp: Extents) -> Iterator[Signed]:
    for path, file in _programs(esp):
        for place in program_signatures(file):
            for extent in file.parts(place.offset_bytes, place.size_bytes):
                yield Signed(extent.offset_bytes, extent.size_bytes, f"/{path}: {place.what}")


def program_signatures(source: Source) -> Iterator[Signed]:
    """Yield the places in a program for the firmware, and in the kernel inside of it."""
    image = read_image(source.read, source.size_bytes)
    yield Signed(image.checksum_offset, _CHECKSUM_BYTES, "checksum")
    yield Signed(image.signatures_offset, source.size_bytes - image.signatures_offset, "signature")
    for section in image.sections:
        inner = part(source, section.offset_bytes, section.size_bytes)
        if section.name == ".linux":
            for place in _kernel_signature(inner):
                yield Signed(section.offset_bytes + place.offset_bytes, place.size_bytes, f"kernel, {place.what}")
        elif section.name == ".pcrsig":
            yield from (
                replace(place, offset_bytes=section.offset_bytes + place.offset_bytes)
                for place in _values(_PCR_SIGNATURE, inner, section.name)
            )


def _values(names: re.Pattern[bytes], json: Extents, what: str) -> Iterator[Signed]:
    """Yield where the values of these names are in a JSON text that a program wrote."""
    for found in names.finditer(json.read(0, min(json.size_bytes, _MAX_JSON_BYTES))):
        start, end = found.span("value")
        yield Signed(start, end - start, f"{what}, {found['name'].decode()}")


def _kernel_signature(kernel: Source) -> Iterator[Signed]:
    """Yield the places in Linux, which has fewer directories in its header than other programs.

    It may have been signed by Debian before, so only the last signature is the owner's.
    """
    (start,) = struct.unpack("<I", kernel.read(_HEADER_AT, 4))
    optional = start + _OPTIONAL_HEADER
    (count,) = struct.unpack("<I", kernel.read(optional + _DIRECTORY_COUNT, 4))
    offset, left = struct.unpack("<II", kernel.read(optional + _CERTIFICATES, 8))
    if count <= _CERTIFICATE_DIRECTORY or not offset:
        return
    yield Signed(optional + _CHECKSUM, _CHECKSUM_BYTES, "checksum")
    while left >= _CERTIFICATE_HEADER_BYTES:
        (length,) = struct.unpack("<I", kernel.read(offset, 4))
        size = -(-length // 8) * 8
        if not _CERTIFICATE_HEADER_BYTES < size <= left:
            raise MalformedError(f"a signature of {length} bytes in {left}", offset)
        if size == left:
            yield Signed(offset, size, "signature")
        offset, left = offset + size, left - size
