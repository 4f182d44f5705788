"""Reading a recording of network frames (pcap, as QEMU's filter-dump writes it)."""

import struct
from pathlib import Path

_FILE_HEADER_BYTES = 24
_FRAME_HEADER = struct.Struct("<IIII")  # seconds, microseconds, bytes recorded, bytes on the wire


def frames(recording: Path) -> list[bytes]:
    """Return the recorded frames."""
    data = recording.read_bytes()
    assert data[:4] == b"\xd4\xc3\xb2\xa1", "not a pcap file in this machine's byte order"
    found = []
    position = _FILE_HEADER_BYTES
    while position < len(data):
        _, _, recorded, _ = _FRAME_HEADER.unpack_from(data, position)
        position += _FRAME_HEADER.size
        found.append(data[position : position + recorded])
        position += recorded
    return found
