"""What an attacker would write into structures, for property tests.

For a long run: `CLAUDINEOS_FUZZ=100000 pytest tests/unit/verify`.
"""

import os
import struct
from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some

from builder.verify.formats.malformed import MalformedError

EXAMPLES = int(os.environ.get("CLAUDINEOS_FUZZ", "200"))
fuzz = settings(
    max_examples=EXAMPLES,
    # A long run shares its machine with other work.
    deadline=2000 if "CLAUDINEOS_FUZZ" not in os.environ else 20_000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    # The same structures on every machine, unless a person asks for more of them.
    derandomize="CLAUDINEOS_FUZZ" not in os.environ,
    database=None,
)

NUMBERS = [0, 1, 127, 128, 255, 1 << 16, (1 << 31) - 1, 1 << 32, (1 << 63) - 1, (1 << 64) - 1]

changes = some.lists(
    some.tuples(
        some.integers(0, 1 << 20), some.sampled_from(NUMBERS) | some.integers(0, 255), some.sampled_from("BHIQ")
    ),
    max_size=6,
)
Changes = list[tuple[int, int, str]]


def changed(content: bytes, numbers: Changes) -> bytes:
    """Put numbers of one to eight bytes into it; positions beyond its end begin again at its start."""
    found = bytearray(content)
    for at, number, width in numbers:
        size = struct.calcsize(width)
        struct.pack_into(f"<{width}", found, at % (len(found) - size), number & ((1 << 8 * size) - 1))
    return bytes(found)


def refused_or(read: Callable[[], object]) -> None:
    try:
        read()
    except MalformedError as refused:
        assert refused.what


def reader(content: bytes) -> Callable[[int, int], bytes]:
    def read(offset: int, size: int) -> bytes:
        if offset < 0 or size < 0 or offset + size > len(content):
            raise MalformedError("the image ends", offset)
        return content[offset : offset + size]

    return read
