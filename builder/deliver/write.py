"""Writing an image to a disk, so that the disk starts only when all of it is there.

    1. both ends of the disk are emptied: no partition table is left, and no firmware starts anything
    2. everything behind the first MiB is written, flushed, read back and compared
    3. the table's copy at the end is written, and the first MiB with the table comes last

Whatever happens before the end of 3, a firmware finds nothing on the disk: not the old system, not half the new one.
Blocks of zeros are not sent, but they are made zeros: the signed hash tree counts on every block.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

from builder import log
from builder.deliver.partition_table import Table, table_for_disk
from builder.deliver.target import Target, pages
from builder.errors import ToolError

BLOCK_BYTES = 4 << 20
# What is in front of an image's first partition.
HEAD_BYTES = 1 << 20
# File systems, LUKS, RAID and boot formats are recognised by what they have at the beginning or the end of their place.
# Nothing old may be found at the end of the disk, nor where the first start makes the state's partition. LUKS2 has its
# keys in the first 16 MiB; without them, what was kept there can never be opened again.
END_BYTES = 4 << 20
STALE_BYTES = 16 << 20
_ZEROS = bytes(BLOCK_BYTES)


def write_image(image: int, image_bytes: int, target: Target) -> None:
    """Write the image that is open as `image` to a target, which must have room for it.

    Raises OSError when reading or writing fails, and ToolError when the target has not kept what was written.
    """
    head = os.pread(image, HEAD_BYTES, 0)
    table = table_for_disk(head, target.size_bytes)
    # The image's own copy of the table would lie in the middle of a larger disk, and say that the disk ends there.
    body_end = image_bytes - len(table.tail)
    make_unbootable(target)
    target.discard(image_bytes, target.size_bytes - image_bytes)
    digests = _write_body(image, body_end, target)
    target.zero(body_end, min(STALE_BYTES, target.size_bytes - body_end))
    _sync(target)
    _compare_body(digests, body_end, target)
    _write_table(table, target)


def make_unbootable(target: Target) -> None:
    """Empty both ends of a disk, where firmware looks for something to start."""
    target.zero(0, min(HEAD_BYTES, target.size_bytes))
    end_bytes = min(END_BYTES, target.size_bytes)
    target.zero(target.size_bytes - end_bytes, end_bytes)
    target.flush()


def _write_body(image: int, end: int, target: Target) -> list[bytes]:
    """Write what is between the head and `end`; return the SHA-256 of each block."""
    digests = []
    with ThreadPoolExecutor(1) as hasher, log.progress("Writing", end - HEAD_BYTES) as advance:
        for offset, block in _read_ahead(image, HEAD_BYTES, end):
            digest = hasher.submit(_sha256, block)
            if _is_zero(block):
                target.zero(offset, len(block))
            else:
                target.write(offset, block)
            digests.append(digest.result())
            advance(len(block))
    return digests


def _compare_body(digests: list[bytes], end: int, target: Target) -> None:
    with log.progress("Reading back", end - HEAD_BYTES) as advance:
        for expected, (offset, block) in zip(digests, _read_ahead(target.descriptor, HEAD_BYTES, end), strict=True):
            if _sha256(block) != expected:
                raise _not_kept(offset)
            advance(len(block))


def _write_table(table: Table, target: Target) -> None:
    for offset, data in ((target.size_bytes - len(table.tail), table.tail), (0, table.head)):
        block = pages(len(data))
        block[:] = data
        target.write(offset, block)
        _sync(target)
        if _read(target.descriptor, block, offset) != data:
            raise _not_kept(offset)


def _sync(target: Target) -> None:
    target.flush()
    target.forget_cache()


def _read_ahead(descriptor: int, start: int, end: int) -> Iterator[tuple[int, memoryview]]:
    """Read blocks in order, the next one already while the caller works on one, which is good until then."""
    buffers = cycle([pages(BLOCK_BYTES), pages(BLOCK_BYTES)])
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(_read, descriptor, next(buffers)[: end - start], start)
        for offset in range(start, end, BLOCK_BYTES):
            block = following.result()
            after = offset + BLOCK_BYTES
            following = reader.submit(_read, descriptor, next(buffers)[: max(0, end - after)], after)
            yield offset, block


def _read(descriptor: int, block: memoryview, offset: int) -> memoryview:
    """Fill a block."""
    done = 0
    while done < len(block):
        count = os.preadv(descriptor, [block[done:]], offset + done)
        if not count:
            raise ToolError(f"the image ends at byte {offset + done:,}, while it is read", hint="Nobody may change it")
        done += count
    return block


def _sha256(block: memoryview) -> bytes:
    return hashlib.sha256(block).digest()


def _is_zero(block: memoryview) -> bool:
    return not any(block[:64]) and block.tobytes() == _ZEROS[: len(block)]


def _not_kept(offset: int) -> ToolError:
    return ToolError(
        f"what was read back from byte {offset:,} on is not what was written there",
        hint="The disk is worn out, or smaller than it says; use another one",
    )
