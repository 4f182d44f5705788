"""What is on the encrypted disk, below its file system: what was deleted is there, too."""

import json
import shlex
from collections.abc import Iterator

from builder.run import run
from builder.toolchain import open_toolchain
from builder.vm.machine import Machine

START = "cat /sys/class/block/$(basename $(readlink -f /dev/disk/claudine-state))/start"
SECTOR_BYTES = 512
# What systemd-repart leaves in front of the encrypted file system (LUKS2).
HEADER_BYTES = 16 << 20
# Read together with what is between them.
GAP_BYTES = 1 << 20
SEARCH = """\
import sys
words = [word.encode() for word in sys.argv[2:]]
found = set()
with open("/dev/mapper/state", "rb") as volume:
    for span in sys.argv[1].split(","):
        start, length = map(int, span.split("+"))
        volume.seek(start)
        data = volume.read(length)
        found |= {word.decode() for word in words if word in data}
print(*found)
"""


def words_on_disk(machine: Machine, *words: str) -> set[str]:
    """Return which of *words* are anywhere on the volume, except where nothing was ever written: that takes minutes."""
    machine.succeed("sync")
    spans = ",".join(f"{start}+{length}" for start, length in _written(machine))
    command = shlex.join(["python3", "-I", "-c", SEARCH, spans, *words])
    return set(machine.succeed(command, timeout_s=600).split())


def _written(machine: Machine) -> Iterator[tuple[int, int]]:
    """Yield the parts of the volume that were ever written, in bytes: the machine's disk has no others of its own."""
    begin = int(machine.succeed(START)) * SECTOR_BYTES + HEADER_BYTES
    end = begin + int(machine.succeed("blockdev --getsize64 /dev/mapper/state"))
    disk = machine.bench.files.disk
    listed = run(open_toolchain().box(["qemu-img", "map", "--force-share", "--output=json", str(disk)])).stdout
    start = length = 0
    for part in json.loads(listed):
        first, last = max(begin, part["start"]), min(end, part["start"] + part["length"])
        if part["depth"] or not part["data"] or first >= last:
            continue
        first, last = first - begin, last - begin
        if length and first - (start + length) > GAP_BYTES:
            yield start, length
            length = 0
        start = start if length else first
        length = last - start
    if length:
        yield start, length
