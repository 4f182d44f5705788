"""Extended attributes in erofs: file capabilities and access control lists, which decide what a file may do."""

import struct

from builder.compare.source import Source
from builder.verify.formats.malformed import MalformedError

# Names are stored without these (erofs_fs.h, "Name indexes").
PREFIXES = {
    1: "user.",
    2: "system.posix_acl_access",
    3: "system.posix_acl_default",
    4: "trusted.",
    6: "security.",
}

_HEADER = struct.Struct("<4xB7x")
_ENTRY = struct.Struct("<BBH")


def read_xattrs(source: Source, place: int, slots: int, shared: int) -> tuple[tuple[tuple[str, bytes], ...], int]:
    """Return an inode's attributes, sorted, and the size of what stands at `place` behind the inode.

    `slots` is the inode's count: a header, then words of 4 bytes. Attributes that many files share stand once, in words
    counted from `shared`.
    """
    size = _HEADER.size + (slots - 1) * 4
    data = source.read(place, size)
    (count,) = _HEADER.unpack_from(data)
    end_of_shared = _HEADER.size + count * 4
    if end_of_shared > size:
        raise MalformedError("more shared attributes than there is room for", place)
    found = [
        _attribute(source.read(shared + word * 4, _ENTRY.size), source, shared + word * 4)
        for (word,) in struct.iter_unpack("<I", data[_HEADER.size : end_of_shared])
    ]
    offset = end_of_shared
    # What is left behind the last entry is zero.
    while offset + _ENTRY.size <= size and any(data[offset : offset + _ENTRY.size]):
        name_bytes, _, value_bytes = _ENTRY.unpack_from(data, offset)
        found.append(_attribute(data[offset : offset + _ENTRY.size], source, place + offset))
        offset += -(-(_ENTRY.size + name_bytes + value_bytes) // 4) * 4
    return tuple(sorted(found)), size


def _attribute(head: bytes, source: Source, place: int) -> tuple[str, bytes]:
    name_bytes, prefix, value_bytes = _ENTRY.unpack(head)
    if prefix not in PREFIXES:
        raise MalformedError(f"an attribute with the name prefix {prefix}", place)
    name = source.read(place + _ENTRY.size, name_bytes).decode("utf-8", "surrogateescape")
    return PREFIXES[prefix] + name, source.read(place + _ENTRY.size + name_bytes, value_bytes)
