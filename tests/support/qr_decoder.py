"""Read a QR code of version 4-L off a screen, the way a phone does but without its error correction.

Written from ISO/IEC 18004 and not with the library that draws: it finds what both would get wrong in the same way.
"""

from collections.abc import Callable, Iterator, Sequence

_SIZE = 33
_MASKS: tuple[Callable[[int, int], int], ...] = (
    lambda r, c: (r + c) % 2,
    lambda r, c: r % 2,
    lambda r, c: c % 3,
    lambda r, c: (r + c) % 3,
    lambda r, c: (r // 2 + c // 3) % 2,
    lambda r, c: r * c % 2 + r * c % 3,
    lambda r, c: (r * c % 2 + r * c % 3) % 2,
    lambda r, c: ((r + c) % 2 + r * c % 3) % 2,
)


def decode(rows: Sequence[str], quiet: int) -> str:
    """Return the text in *rows*, where blocks are light and spaces dark, with *quiet* light modules on every side."""
    halves = [[[ch not in blocks for ch in row] for blocks in ("█▀", "█▄")] for row in rows]
    modules = [line for pair in halves for line in pair]
    around = modules[:quiet] + modules[quiet + _SIZE : 2 * quiet + _SIZE]
    around += [line[:quiet] + line[-quiet:] for line in modules[: 2 * quiet + _SIZE]]
    assert not any(any(line) for line in around)
    code = [line[quiet : quiet + _SIZE] for line in modules[quiet : quiet + _SIZE]]
    spots = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(r, 8) for r in (7, 5, 4, 3, 2, 1, 0)]
    form = int("".join(str(int(code[r][c])) for r, c in spots), 2) ^ 0b101010000010010
    assert form >> 13 == 0b01
    mask = _MASKS[form >> 10 & 0b111]
    bits = "".join(str(int(code[r][c] ^ (mask(r, c) == 0))) for r, c in _data_modules())
    assert bits[:4] == "0100"
    length = int(bits[4:12], 2)
    return bytes(int(bits[start : start + 8], 2) for start in range(12, 12 + 8 * length, 8)).decode()


def _data_modules() -> Iterator[tuple[int, int]]:
    upwards = True
    for right in (*range(_SIZE - 1, 6, -2), 5, 3, 1):
        for r in range(_SIZE - 1, -1, -1) if upwards else range(_SIZE):
            for c in (right, right - 1):
                finder = (r < 9 and (c < 9 or c > 24)) or (r > 24 and c < 9)
                if not (finder or r == 6 or c == 6 or (24 <= r <= 28 and 24 <= c <= 28)):
                    yield r, c
        upwards = not upwards
