"""Writing an image to a disk, so that the disk starts only when all of it is there.

    1. both ends of the disk are emptied: no partition table is left, and no firmware starts anything
    2. everything behind the first MiB is written, flushed, read back and compared
    3. the table's copy at the end is written, and the first MiB with the table comes last

Whatever happens before the end of 3, a firmware finds nothing on the disk: not the old system, not half the new one.
Blocks of zeros are not sent, but they are made zeros: the signed hash tree counts on every block.
"""

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from typing import NamedTuple

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
# Enough that hashing hides behind writing, on a busy computer too.
_AHEAD = 4
_ZEROS = bytes(BLOCK_BYTES)


class _Block(NamedTuple):
    """`sha256` is empty where all of `data` is zero, which is found out faster."""

    offset: int
    data: memoryview
    sha256: bytes


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
    """Write what is between the head and `end`; return the SHA-256 of each block, empty for zeros."""
    digests = []
    done = HEAD_BYTES
    with log.progress("Writing", end - HEAD_BYTES) as advance:
        for block in _blocks(image, HEAD_BYTES, end):
            if block.sha256:
                target.zero(done, block.offset - done)
                target.write(block.offset, block.data)
                done = block.offset + len(block.data)
            digests.append(block.sha256)
            advance(len(block.data))
        target.zero(done, end - done)
    return digests


def _compare_body(digests: list[bytes], end: int, target: Target) -> None:
    with log.progress("Reading back", end - HEAD_BYTES) as advance:
        for expected, block in zip(digests, _blocks(target.descriptor, HEAD_BYTES, end), strict=True):
            if block.sha256 != expected:
                raise _not_kept(block.offset)
            advance(len(block.data))


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


def _blocks(descriptor: int, start: int, end: int) -> Iterator[_Block]:
    """Read blocks in order, some of them ahead of the caller; each is good until the next one is asked for."""
    buffers = cycle([pages(BLOCK_BYTES) for _ in range(_AHEAD)])
    waiting: deque[Future[_Block]] = deque()
    with ThreadPoolExecutor(2) as readers:
        for offset in range(start, end, BLOCK_BYTES):
            waiting.append(readers.submit(_read_block, descriptor, next(buffers)[: end - offset], offset))
            if len(waiting) == _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _read_block(descriptor: int, buffer: memoryview, offset: int) -> _Block:
    data = _read(descriptor, buffer, offset)
    return _Block(offset, data, b"" if _is_zero(data) else hashlib.sha256(data).digest())


def _read(descriptor: int, block: memoryview, offset: int) -> memoryview:
    """Fill a block."""
    done = 0
    while done < len(block):
        count = os.preadv(descriptor, [block[done:]], offset + done)
        if not count:
            raise ToolError(f"the image ends at byte {offset + done:,}, while it is read", hint="Nobody may change it")
        done += count
    return block


def _is_zero(block: memoryview) -> bool:
    return not any(block[:64]) and block.tobytes() == _ZEROS[: len(block)]


def _not_kept(offset: int) -> ToolError:
    return ToolError(
        f"what was read back from byte {offset:,} on is not what was written there",
        hint="The disk is worn out, or smaller than it says; use another one",
    )
