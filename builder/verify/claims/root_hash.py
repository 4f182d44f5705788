"""The hash tree over a root, computed again from every block, and the root hash that the partitions' ids name."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from builder import log
from builder.verify import ids
from builder.verify.claim import DISK, Claim, Trial
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding
from builder.verify.formats import verity
from builder.verify.formats.verity import BLOCK_BYTES, DIGEST_BYTES, HASHES_PER_BLOCK
from builder.verify.layout import ROOT, VERITY

CLAIM = Claim(
    "root-hash",
    expected="a hash tree that fits every block, below the root hash that the partitions' ids name",
    proves="The root hash stands for every byte of the system.",
    fails="The system is not the one that its root hash stands for; a machine refuses it, or the blocks that changed.",
)

# What is read and hashed at once, for some milliseconds; its hashes fill whole blocks of the level above.
_STRIDE_BLOCKS = 8 * HASHES_PER_BLOCK
# What is given to the threads at once: a list of all of a large model's strides would fill memory.
_ROUND_BLOCKS = 64 * _STRIDE_BLOCKS
# Each holds a stride in memory.
_MAX_THREADS = 8


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim for the system."""
    yield from check_tree(CLAIM, disk, ids.system_seed)


def named_root_hash(disk: Disk) -> str:
    """Return the root hash that the ids of the partitions name (64 hex digits); MalformedError without a root."""
    return UUID(disk.partition(ROOT).id).hex + UUID(disk.partition(VERITY).id).hex


def check_tree(claim: Claim, disk: Disk, seed_of: Callable[[str], UUID], title: str = DISK) -> Iterator[Finding]:
    """Try the claim for the root of a disk, with the seed that its label gives."""
    trial, named = Trial(claim, disk, title), ""
    with trial.trying():
        named = named_root_hash(disk)
        tree, root = trial.within(disk.partition(VERITY)), disk.partition(ROOT)
        trial = trial.within(root)
        with tree.trying():
            _check_tree(trial, tree, seed_of(root.label), named)
    yield from trial.findings(f"{named} over {trial.disk.size_bytes:,} bytes")


def _check_tree(data: Trial, tree: Trial, seed: UUID, named: str) -> None:
    """Compare from the top down, and go on only below what is right: else all that is below would seem wrong."""
    superblock = verity.read_superblock(tree.disk.read(0, BLOCK_BYTES))
    if (superblock.id, superblock.salt) != (ids.verity_id(seed), ids.verity_salt(seed)):
        tree.wrong("an id or a salt that does not follow from the label", 16)
    if superblock.data_blocks * BLOCK_BYTES != data.disk.size_bytes:
        expected = f"{data.disk.size_bytes // BLOCK_BYTES}, as the root has"
        tree.wrong(f"a hash tree over {superblock.data_blocks} blocks", 72, expected)
        return
    levels = verity.levels(superblock.data_blocks)
    used_bytes = (levels[0].start + levels[0].blocks) * BLOCK_BYTES
    tree.check_zero(used_bytes, tree.disk.size_bytes - used_bytes, "data behind the hash tree")
    top = tree.disk.read(levels[-1].start * BLOCK_BYTES, BLOCK_BYTES)
    found = verity.hashes(top, superblock.salt)[:DIGEST_BYTES].hex()
    if found != named:
        tree.wrong(f"a hash tree with the root hash {found}", levels[-1].start * BLOCK_BYTES, named)
        return
    below = [(tree, level) for level in reversed(levels[:-1])]
    below.append((data, verity.Level(0, superblock.data_blocks)))
    for above, (trial, level) in zip(reversed(levels), below, strict=True):
        before = len(tree.broken)
        _check_level(trial, level, tree.disk, above, superblock.salt)
        if len(tree.broken) > before:
            return


def _check_level(trial: Trial, level: verity.Level, tree: Disk, above: verity.Level, salt: bytes) -> None:
    """Compare the hashes of the blocks of a level with those in the level above."""

    def wrong_blocks(first: int) -> list[int]:
        count = min(_STRIDE_BLOCKS, level.blocks - first)
        blocks = trial.disk.read((level.start + first) * BLOCK_BYTES, count * BLOCK_BYTES)
        found = verity.hashes(blocks, salt)
        stored = tree.read(above.start * BLOCK_BYTES + first * DIGEST_BYTES, len(found))
        return [first + block for block in verity.differing(found, stored, DIGEST_BYTES)]

    threads = min(os.cpu_count() or 1, _MAX_THREADS)
    wrong_count, first_wrong = 0, 0
    # OpenSSL lets other threads run while it hashes 4 KiB: two threads reach twice of what one does.
    with (
        log.progress(f"Reading the {trial.title}", level.blocks * BLOCK_BYTES) as advance,
        ThreadPoolExecutor(threads) as pool,
    ):
        for start in range(0, level.blocks, _ROUND_BLOCKS):
            strides = range(start, min(start + _ROUND_BLOCKS, level.blocks), _STRIDE_BLOCKS)
            for wrong in pool.map(wrong_blocks, strides):
                if wrong:
                    first_wrong = first_wrong if wrong_count else wrong[0]
                    wrong_count += len(wrong)
                advance(_STRIDE_BLOCKS * BLOCK_BYTES)
    if wrong_count:
        offset = (level.start + min(first_wrong, level.blocks - 1)) * BLOCK_BYTES
        trial.wrong(f"{wrong_count} blocks that do not fit their hashes, the first here", offset)
