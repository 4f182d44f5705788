"""The files of a file system or an archive as nodes: what a person would see with `ls -l`, and the bytes."""

import posixpath
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from builder.compare.cpio import read_initrd
from builder.compare.erofs import Erofs, Inode
from builder.compare.node import Node
from builder.compare.source import Memory, Source

MAX_LINK_BYTES = 4096

_TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFBLK: "block device",
    stat.S_IFCHR: "character device",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
}


@dataclass(frozen=True)
class Stored:
    """The content of a file in an erofs."""

    size_bytes: int
    chunks: Callable[[], Iterator[bytes]]


def erofs_files(source: Source) -> Mapping[str, Node]:
    """Return all files of an erofs by their paths."""
    files = Erofs(source)
    return {path: _erofs_file(files, path, inode) for path, inode in files.walk()}


def initrd_files(data: bytes) -> Mapping[str, Node]:
    """Return all files of an initrd by their paths, as they are when all its archives are unpacked."""
    found = {}
    for entry in read_initrd(data):
        facts = _facts(entry.mode, entry.uid, entry.gid, entry.mtime_s)
        if stat.S_ISLNK(entry.mode):
            facts["target"] = entry.data.decode("utf-8", "replace")
        if any(entry.device):
            facts["device"] = "{}:{}".format(*entry.device)
        content = Memory(entry.data) if stat.S_ISREG(entry.mode) else None
        found[entry.path] = Node(entry.path, content, facts)
    return found


def is_unit(path: str) -> bool:
    """Say whether a file is a systemd unit, a part of one, or a link that starts one."""
    return path.startswith(("/usr/lib/systemd/system/", "/etc/systemd/system/")) and "." in posixpath.basename(path)


def _erofs_file(files: Erofs, path: str, inode: Inode) -> Node:
    facts = _facts(inode.mode, inode.uid, inode.gid, inode.mtime_s)
    facts |= {f"attribute {name}": repr(value)[2:-1] for name, value in inode.xattrs}
    if stat.S_ISREG(inode.mode):
        facts["links"] = str(inode.links)
        return Node(path, Stored(inode.size_bytes, lambda: files.chunks(inode)), facts)
    if stat.S_ISLNK(inode.mode):
        facts["target"] = files.content(inode, MAX_LINK_BYTES).decode("utf-8", "replace")
    if stat.S_ISCHR(inode.mode) or stat.S_ISBLK(inode.mode):
        facts["device"] = f"{inode.union:#x}"
    return Node(path, None, facts)


def _facts(mode: int, uid: int, gid: int, mtime_s: int) -> dict[str, str]:
    return {
        "type": _TYPES.get(stat.S_IFMT(mode), "unknown"),
        "mode": f"{stat.S_IMODE(mode):04o}",
        "owner": f"{uid}:{gid}",
        "time": _time(mtime_s),
    }


def _time(mtime_s: int) -> str:
    try:
        return datetime.fromtimestamp(mtime_s, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return str(mtime_s)
