"""PE images that a firmware starts: sections, Authenticode digest, signatures.

    image = read_image(file.read, file.size_bytes)
    image.section(".cmdline"), authenticode_digest(file.read, image), signatures(file.read, image)

A PE reader has many ways to understand a file in which parts overlap or lie apart, and what one signs is not always
what another one starts. So parts have to lie side by side here: headers, sections in the order of their table, the
signatures, and nothing behind them. ukify, systemd-boot's makers and sbsign write them so. Nothing is loaded whole.

Source: Microsoft's "PE Format"; Microsoft's "Windows Authenticode Portable Executable Signature Format" 1.0, section
"Calculating the PE Image Hash".
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from builder.verify.formats.gpt import Read
from builder.verify.formats.malformed import MalformedError

MAX_SECTIONS = 96
MAX_HEADER_BYTES = 64 << 10
MAX_SIGNATURES_BYTES = 64 << 10

# The fields of the optional header that are read, by their offsets in it.
_CODE_OF_AMD64, _PE32_PLUS, _DIRECTORIES = 0x8664, 0x20B, 16
_HEADERS_SIZE_AT, _CHECKSUM_AT, _DIRECTORY_COUNT_AT, _CERTIFICATES_AT = 60, 64, 108, 144
_OPTIONAL_HEADER_BYTES = 240

_COFF = struct.Struct("<4sHHIIIHH")
_SECTION = struct.Struct("<8sIIIIIIHHI")
_CERTIFICATE = struct.Struct("<IHH")
_REVISION_2, _PKCS_SIGNED_DATA = 0x0200, 0x0002
_ALIGNMENT = 8
CHUNK_BYTES = 4 << 20


@dataclass(frozen=True)
class Section:
    """A part of the image with a name; the offset is in the file.

    `raw_bytes` lie in the file, `virtual_bytes` are in memory; `size_bytes`, the smaller one, is what it says.
    """

    name: str
    offset_bytes: int
    raw_bytes: int
    virtual_bytes: int

    @property
    def size_bytes(self) -> int:
        """The length without the file's padding."""
        return min(self.raw_bytes, self.virtual_bytes)


@dataclass(frozen=True)
class Image:
    """Where things are in the file, in bytes. `checksum` is the one that the header says."""

    size_bytes: int
    checksum: int
    checksum_offset: int
    directory_offset: int
    sections: tuple[Section, ...]
    signatures_offset: int

    def named(self, name: str) -> tuple[Section, ...]:
        """Return the sections with this name."""
        return tuple(section for section in self.sections if section.name == name)


def read_image(read: Read, size_bytes: int) -> Image:
    """Read the headers of a 64-bit image for x86 and check that its parts lie side by side."""
    if size_bytes < 1024:
        raise MalformedError("a file too small for a PE image", 0)
    head = read(0, min(size_bytes, MAX_HEADER_BYTES))
    (start,) = struct.unpack_from("<I", head, 60)
    optional = start + _COFF.size
    if head[:2] != b"MZ" or start % 8 or optional + _OPTIONAL_HEADER_BYTES > len(head):
        raise MalformedError("no PE image", 0)
    signature, machine, count, _, _, _, optional_bytes, _ = _COFF.unpack_from(head, start)
    (magic,) = struct.unpack_from("<H", head, optional)
    headers_bytes, checksum = struct.unpack_from("<II", head, optional + _HEADERS_SIZE_AT)
    (directories,) = struct.unpack_from("<I", head, optional + _DIRECTORY_COUNT_AT)
    if (signature, machine, magic) != (b"PE\0\0", _CODE_OF_AMD64, _PE32_PLUS):
        raise MalformedError("no PE image for x86-64", start)
    if (optional_bytes, directories) != (_OPTIONAL_HEADER_BYTES, _DIRECTORIES):
        raise MalformedError(f"a PE header of {optional_bytes} bytes with {directories} directories", start)
    table = optional + optional_bytes
    if not 0 < count <= MAX_SECTIONS or not table + count * _SECTION.size <= headers_bytes <= len(head):
        raise MalformedError(f"{count} sections behind {headers_bytes} bytes of headers", start + 6)
    sections = tuple(_sections(head, table, count, headers_bytes, size_bytes))
    end = max((section.offset_bytes + section.raw_bytes for section in sections), default=headers_bytes)
    at = optional + _CERTIFICATES_AT
    signatures_offset, signatures_bytes = struct.unpack_from("<II", head, at)
    if not signatures_bytes and not signatures_offset:
        signatures_offset = size_bytes
    if not end <= signatures_offset < end + _ALIGNMENT or signatures_offset + signatures_bytes != size_bytes:
        raise MalformedError("something between the sections and the signatures, or behind them", at)
    if signatures_bytes > MAX_SIGNATURES_BYTES:
        raise MalformedError(f"{signatures_bytes} bytes of signatures", at)
    return Image(size_bytes, checksum, optional + _CHECKSUM_AT, at, sections, signatures_offset)


def _sections(head: bytes, table: int, count: int, begin: int, size_bytes: int) -> Iterator[Section]:
    for at in range(table, table + count * _SECTION.size, _SECTION.size):
        raw_name, virtual, _address, raw, offset, _relocations, _lines, *counts, _flags = _SECTION.unpack_from(head, at)
        name = raw_name.rstrip(b"\0")
        if not name.isascii() or not name.decode("ascii").isprintable() or any(counts):
            raise MalformedError(f"a section called {raw_name!r}, or with relocations", at)
        if raw:
            if offset != begin or offset + raw > size_bytes:
                raise MalformedError(f"the section {name.decode()} is not where the one before it ends", at)
            begin += raw
        yield Section(name.decode(), offset, raw, virtual)


def authenticode_digest(read: Read, image: Image) -> bytes:
    """Return the SHA-256 that a signature is over: all but the checksum, the signatures and where they are."""
    digest = hashlib.sha256()
    skipped = ((image.checksum_offset, 4), (image.directory_offset, 8))
    begin = 0
    for offset, size in (*skipped, (image.signatures_offset, 0)):
        for chunk in _chunks(read, begin, offset):
            digest.update(chunk)
        begin = offset + size
    return digest.digest()


def computed_checksum(read: Read, image: Image) -> int:
    """Return what the checksum in the header should be: the file's length and the sum of its 16-bit words.

    No firmware looks at it, and no signature covers it.
    """
    total = 0
    for chunk in _chunks(read, 0, image.size_bytes):
        # Adding words with the carry brought back in is arithmetic modulo 2^16 - 1, and long numbers are fast.
        total += int.from_bytes(chunk, "little") % 0xFFFF
    field = read(image.checksum_offset, 4)
    total = (total - int.from_bytes(field, "little")) % 0xFFFF or 0xFFFF
    return total + image.size_bytes


def signatures(read: Read, image: Image) -> tuple[bytes, ...]:
    """Return the PKCS#7 of each signature (a ContentInfo in DER)."""
    data = read(image.signatures_offset, image.size_bytes - image.signatures_offset)
    found = []
    at = 0
    while at < len(data):
        place = image.signatures_offset + at
        if at + _CERTIFICATE.size > len(data):
            raise MalformedError("a signature that is cut off", place)
        length, revision, kind = _CERTIFICATE.unpack_from(data, at)
        end = at + length
        padded = end + -end % _ALIGNMENT
        if (revision, kind) != (_REVISION_2, _PKCS_SIGNED_DATA) or length <= _CERTIFICATE.size or padded > len(data):
            raise MalformedError(f"a signature of kind {kind:#x} with {length} bytes", place)
        if any(data[end:padded]):
            raise MalformedError("something behind a signature", image.signatures_offset + end)
        found.append(data[at + _CERTIFICATE.size : end])
        at = padded
    return tuple(found)


def _chunks(read: Read, begin: int, end: int) -> Iterator[bytes]:
    for at in range(begin, end, CHUNK_BYTES):
        yield read(at, min(CHUNK_BYTES, end - at))
