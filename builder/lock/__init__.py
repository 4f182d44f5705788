"""The lock: exactly what an image is made of beside this repository, so that it can be made again.

    lock = load_lock(Path("profiles/qemu.lock"))
    toolchain = open_locked_toolchain(lock, archive)       # the same mkosi and tools
    lock_differences(lock, lock_of(…))                     # what is not the same, by name

A lock is a text file, one package a line, sorted. Its hashes are those of Debian's signed indices.
"""

from builder.lock.differences import Difference, lock_differences, refuse_differences, subject_differences
from builder.lock.load import load_lock, lock_path
from builder.lock.lock import Lock, LockedProfile, lock_of
from builder.lock.toolchain import open_locked_toolchain

__all__ = [
    "Difference",
    "Lock",
    "LockedProfile",
    "load_lock",
    "lock_differences",
    "lock_of",
    "lock_path",
    "open_locked_toolchain",
    "refuse_differences",
    "subject_differences",
]
