"""Kernel images (UKIs) with nothing in them but sections, and archives for an initrd."""

import struct


def uki_file(sections: dict[str, bytes]) -> bytes:
    """Make a PE file of these sections."""
    header = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    header += b"PE\0\0" + struct.pack("<HH12xHH", 0x8664, len(sections), 0, 0)
    start = len(header) + 40 * len(sections)
    table, data = b"", b""
    for name, content in sections.items():
        table += struct.pack("<8s4I16x", name.encode(), len(content), 0, len(content), start + len(data))
        data += content
    return header + table + data


def cpio(entries: dict[str, bytes], *, links: int = 1) -> bytes:
    """Make an archive as the kernel reads it; a content that begins with an arrow (->) is a symbolic link."""
    archive = b""
    for name, content in {**entries, "TRAILER!!!": b""}.items():
        is_link = content.startswith(b"->")
        content = content.removeprefix(b"->")
        mode = 0o120777 if is_link else 0o100644
        fields = (1, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        archive += _padded(b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0")
        archive += _padded(content)
    return archive


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
