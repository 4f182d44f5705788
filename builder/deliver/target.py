"""A disk that we alone hold, and what can be done to it.

The kernel lets one user have a disk exclusively (O_EXCL, open(2)): as long as it is held, nobody mounts it or any
partition of it, and what was found out about it stays true. A file can be a target, too, which tests make use of.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from stat import S_ISBLK

from builder.deliver.disks import Disk
from builder.errors import BuilderError
from builder.run import run

# <linux/fs.h>
_BLKRRPART = 0x125F
_BLKFLSBUF = 0x1261
_BLKDISCARD = 0x1277
# <linux/falloc.h>
_KEEP_SIZE, _PUNCH_HOLE, _ZERO_RANGE = 0x01, 0x02, 0x10
# So much at once that the disk works well, and so little that an interruption is noticed.
_DISCARD_BYTES = 4 << 30
_ZERO_BYTES = 64 << 20


class Target:
    """Something to write to, at any place. Offsets and lengths are in bytes, whole sectors; all errors are OSErrors.

    What is written must lie in memory at the start of a page, because the page cache is passed by where it can be
    (O_DIRECT): a disk's worth of data would push everything else out of it, and what is read back from it would not be
    what is on the disk.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size_bytes = os.lseek(descriptor, 0, os.SEEK_END)
        self.is_disk = S_ISBLK(os.fstat(descriptor).st_mode)
        with suppress(OSError):
            # Not every file system can; then the cache is dropped before reading.
            fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_DIRECT)

    def write(self, offset: int, data: memoryview) -> None:
        """Write all of `data`."""
        while data:
            written = os.pwrite(self.descriptor, data, offset)
            offset, data = offset + written, data[written:]

    def zero(self, offset: int, length: int) -> None:
        """Make a range read as zeros, without sending them where the disk can do that by itself."""
        for start in range(offset, offset + length, _ZERO_BYTES):
            self._zero(start, min(_ZERO_BYTES, offset + length - start))

    def _zero(self, offset: int, length: int) -> None:
        for mode in (_PUNCH_HOLE | _KEEP_SIZE, _ZERO_RANGE | _KEEP_SIZE):
            try:
                _fallocate(self.descriptor, mode, offset, length)
                return
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENODEV):
                    raise
        self.write(offset, pages(length))

    def discard(self, offset: int, length: int) -> None:
        """Tell the disk that nobody needs what is in a range; it need not care."""
        if self.is_disk:
            with suppress(OSError):
                for start in range(offset, offset + length, _DISCARD_BYTES):
                    size = min(_DISCARD_BYTES, offset + length - start)
                    fcntl.ioctl(self.descriptor, _BLKDISCARD, struct.pack("=QQ", start, size))

    def flush(self) -> None:
        """Return when all that was written is on the disk, not in a cache of the kernel's or the disk's."""
        os.fsync(self.descriptor)

    def forget_cache(self) -> None:
        """Have what is read next come from the disk."""
        if self.is_disk:
            fcntl.ioctl(self.descriptor, _BLKFLSBUF)
        os.posix_fadvise(self.descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def reread_partitions(self) -> None:
        """Have the kernel see the new partitions, where it looks for any (not on most loop devices)."""
        if self.is_disk:
            with suppress(OSError):
                fcntl.ioctl(self.descriptor, _BLKRRPART)


@contextmanager
def held(disk: Disk) -> Iterator[Target]:
    """Hold a disk exclusively; a BuilderError if that is not possible."""
    try:
        descriptor = os.open(disk.path, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC)
    except PermissionError:
        raise BuilderError(f"you may not write to {disk.path}", hint="Start the same command with sudo") from None
    except OSError as error:
        hint = "Close what uses it: `lsblk`, `fuser -v` and `lsof` show what that may be"
        raise BuilderError(f"{disk.path} cannot be had exclusively: {error.strerror}", hint=hint) from error
    try:
        yield Target(descriptor)
    finally:
        os.close(descriptor)


def unmount(disk: Disk) -> None:
    """Unmount what is mounted from a disk, the innermost first; a ToolError if something uses it."""
    points = {point for content in disk.contents for point in content.mount_points}
    for point in sorted(points, key=len, reverse=True):
        run(["umount", point], hint=f"Close what uses it: `fuser -vm {point}` shows that")


def pages(length: int) -> memoryview:
    """Return zeroed memory that begins at the start of a page."""
    return memoryview(mmap.mmap(-1, length))


def _fallocate(descriptor: int, mode: int, offset: int, length: int) -> None:
    """fallocate(2), which Python has only for allocating; it works on disks as on files."""
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = ctypes.c_int(mode), ctypes.c_int64(offset), ctypes.c_int64(length)
    if libc.fallocate64(ctypes.c_int(descriptor), *arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
