"""A disk image of a few sectors."""

import struct

from builder.vm.disk_image import EFI_SYSTEM_PARTITION, SECTOR_BYTES


def gpt_image(*, esp: bool = True, covered_sectors: int = 200) -> bytes:
    """Return a disk image of 200 sectors with nothing in it but a GPT header and one entry."""
    header = bytearray(SECTOR_BYTES)
    header[:8] = b"EFI PART"
    struct.pack_into("<Q", header, 32, covered_sectors - 1)
    struct.pack_into("<QII", header, 72, 2, 4, 128)
    entry = bytearray(SECTOR_BYTES)
    if esp:
        entry[:16] = EFI_SYSTEM_PARTITION.bytes_le
        struct.pack_into("<QQ", entry, 32, 40, 80)
    return bytes(SECTOR_BYTES) + bytes(header) + bytes(entry) + bytes(197 * SECTOR_BYTES)
