"""An erofs file system made by hand, with directories, owners, links, and files that are compressed with zstd."""

import stat
import struct
from dataclasses import dataclass
from pathlib import PurePosixPath

import zstandard

BLOCK = 4096
SLOT = 32
METADATA = 1024 + 128
_FILE_TYPES = {stat.S_IFREG: 1, stat.S_IFDIR: 2, stat.S_IFLNK: 7}


@dataclass(frozen=True)
class Entry:
    """A file, a link (its content is the target) or a directory (without content)."""

    mode: int
    content: bytes = b""
    uid: int = 0
    gid: int = 0
    compressed: bool = False
    mtime_s: int = 1_793_491_200
    xattrs: tuple[tuple[int, bytes, bytes], ...] = ()


def directory(mode: int = 0o755) -> Entry:
    return Entry(stat.S_IFDIR | mode)


def file(content: bytes, mode: int = 0o644, uid: int = 0, gid: int = 0) -> Entry:
    return Entry(stat.S_IFREG | mode, content, uid, gid)


def compressed(content: bytes) -> Entry:
    """A file in one compressed cluster: its content has to fit a block once it is compressed."""
    return Entry(stat.S_IFREG | 0o644, content, compressed=True)


def link(target: str) -> Entry:
    return Entry(stat.S_IFLNK | 0o777, target.encode())


def erofs_tree(entries: dict[str, Entry]) -> bytes:
    """Write a file system with these paths (`/` is added); parents have to be among them."""
    tree = {"/": directory(), **entries}
    places, at = {}, METADATA
    for path, entry in tree.items():
        places[path] = at
        at += -(-len(_metadata(entry, 0, 0)) // SLOT) * SLOT
    blocks = -(-at // BLOCK)
    image = bytearray(blocks * BLOCK)
    for path, entry in tree.items():
        content = _listing(path, tree, places) if stat.S_ISDIR(entry.mode) else entry.content
        stored = _stored(content, entry)
        metadata = _metadata(entry, len(content), len(image) // BLOCK)
        image[places[path] : places[path] + len(metadata)] = metadata
        image += stored.ljust(-(-len(stored) // BLOCK) * BLOCK, b"\0")
    fields = (0xE0F5E1E2, 0, 0, 12, 0, places["/"] // SLOT, len(tree), 0, 0, len(image) // BLOCK, 0, 0)
    image[1024:1072] = struct.pack("<IIIBBHQQIIII", *fields)
    image[1024 + 80 : 1024 + 86] = struct.pack("<IH", 3, 1 << 3)
    return bytes(image)


def _stored(content: bytes, entry: Entry) -> bytes:
    if not entry.compressed:
        return content
    packed = zstandard.compress(content)
    assert len(packed) <= BLOCK
    # What is left of the cluster stands before it.
    return packed.rjust(BLOCK, b"\0")


def _metadata(entry: Entry, size: int, block: int) -> bytes:
    layout = 1 if entry.compressed else 0
    xattrs = b"".join(_xattr(*one) for one in entry.xattrs)
    slots = 1 + len(xattrs) // 4 if xattrs else 0
    fields = (1 | layout << 1, slots, entry.mode, size, block, 0, entry.uid, entry.gid, entry.mtime_s, 0, 1)
    inode = struct.pack("<HHH2xQIIIIQII16x", *fields)
    if xattrs:
        inode += bytes(12) + xattrs
    if entry.compressed:
        inode = inode.ljust(-(-len(inode) // 8) * 8, b"\0")
        inode += struct.pack("<4xHBB8x", 0, 3, 0)
        inode += struct.pack("<HHI", 1, 0, block)
        inode += b"".join(struct.pack("<HHHH", 2, 0, number, 1) for number in range(1, -(-len(entry.content) // BLOCK)))
    return inode


def _xattr(prefix: int, name: bytes, value: bytes) -> bytes:
    entry = struct.pack("<BBH", len(name), prefix, len(value)) + name + value
    return entry.ljust(-(-len(entry) // 4) * 4, b"\0")


def _listing(path: str, tree: dict[str, Entry], places: dict[str, int]) -> bytes:
    inside = {PurePosixPath(child).name: child for child in tree if child != "/" and _parent(child) == path}
    names = {".": path, "..": _parent(path), **inside}
    texts = {name: name.encode() for name in sorted(names)}
    offset = 12 * len(texts)
    entries = b""
    for name, text in texts.items():
        kind = _FILE_TYPES[stat.S_IFMT(tree[names[name]].mode)]
        entries += struct.pack("<QHBB", places[names[name]] // SLOT, offset, kind, 0)
        offset += len(text)
    found = entries + b"".join(texts.values())
    assert len(found) <= BLOCK
    return found


def _parent(path: str) -> str:
    return str(PurePosixPath(path).parent)
