"""An initrd made by hand: cpio archives ("newc")."""

import zstandard


def archive(files: dict[str, tuple[int, bytes]]) -> bytes:
    """An archive of these files: mode and content by path."""
    members = [_member(path, mode, content) for path, (mode, content) in files.items()]
    return b"".join([*members, _member("TRAILER!!!", 0, b"")])


def compressed(data: bytes) -> bytes:
    return zstandard.compress(data)


def _member(path: str, mode: int, content: bytes) -> bytes:
    name = path.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 1_793_491_200, len(content), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    head = head.ljust(-(-len(head) // 4) * 4, b"\0")
    return (head + content).ljust(len(head) + -(-len(content) // 4) * 4, b"\0")
