"""The files of an initrd, read from the kernel image (UKI) that carries it.

A UKI is a PE file with the processors' microcode in the section `.ucode` and the initrd in `.initrd` (UAPI.5). The
kernel gets both in that order: cpio archives one after the other, each as it is or compressed, with zeros between them;
of two files with one path the later holds (Linux, "initramfs buffer format"). mkosi compresses with zstd. Only what was
built just now is read here, so what is malformed is a fault of ours.
"""

import stat
import struct
from collections.abc import Generator, Iterator
from pathlib import Path

from builder.sbom.contents import ImageFile, shown

_ZSTD = b"\x28\xb5\x2f\xfd"
_NEWC = b"070701"
_HEADER_BYTES = 110
_TRAILER = b"TRAILER!!!"


def initrd_files(uki: Path) -> tuple[ImageFile, ...]:
    """Return the initrd's files and links, sorted by their paths; ValueError for one that cannot be read."""
    image = uki.read_bytes()
    found = {file.path: file for name in (b".ucode", b".initrd") for file in _files(_section(image, name))}
    return tuple(found[path] for path in sorted(found))


def _section(image: bytes, name: bytes) -> bytes:
    """Return a section's content, nothing if there is none (PE format, "Section Table")."""
    (header,) = struct.unpack_from("<I", image, 0x3C)
    count, optional_bytes = struct.unpack_from("<H12xH", image, header + 6)
    for index in range(count):
        entry = header + 24 + optional_bytes + 40 * index
        if image[entry : entry + 8].rstrip(b"\0") == name:
            size, _, _, offset = struct.unpack_from("<4I", image, entry + 8)
            return image[offset : offset + size]
    return b""


def _files(data: bytes) -> Iterator[ImageFile]:
    import zstandard

    while data := data.lstrip(b"\0"):
        if data.startswith(_ZSTD):
            decompressor = zstandard.ZstdDecompressor().decompressobj()
            yield from _files(decompressor.decompress(data))
            data = decompressor.unused_data
        elif data.startswith(_NEWC):
            end = yield from _archive(data)
            data = data[end:]
        else:
            raise ValueError(f"the initrd goes on with {data[:8].hex()}, which is neither zstd nor cpio")


def _archive(data: bytes) -> Generator[ImageFile, None, int]:
    """Give the files of one cpio archive (cpio(5), "New ASCII Format"), and return where it ends."""
    at = 0
    while data[at : at + 6] == _NEWC:
        # The fields are inode, mode, uid, gid, links, time, size, four device numbers, the name's size, a checksum.
        fields = [int(data[at + 6 + 8 * field : at + 14 + 8 * field], 16) for field in range(13)]
        mode, links, size, name_size = fields[1], fields[4], fields[6], fields[11]
        name = data[at + _HEADER_BYTES : at + _HEADER_BYTES + name_size - 1]
        start = _aligned(at + _HEADER_BYTES + name_size)
        at = _aligned(start + size)
        if name == _TRAILER:
            return at
        content = data[start : start + size]
        if stat.S_ISLNK(mode):
            yield ImageFile(shown(b"/" + name), b"", shown(content))
        elif stat.S_ISREG(mode):
            if links > 1:
                raise ValueError(f"{shown(name)} is a hard link, which is not read here")
            yield ImageFile(shown(b"/" + name), content)
    raise ValueError("a cpio archive of the initrd has no end")


def _aligned(offset: int) -> int:
    return (offset + 3) & ~3
