"""Zstandard with a bound on what comes out."""

from builder.verify.formats.malformed import MalformedError

# A few bytes can stand for a block of 128 KiB: so much is unpacked at once at most before the bound is looked at.
_PIECE_BYTES = 1024
_WINDOW_BYTES = 128 << 20


def decompress_frame(data: bytes, limit_bytes: int) -> tuple[bytes, int]:
    """Unpack the frame that `data` begins with; return what it holds and how many bytes of `data` it takes.

    MalformedError if it is no whole frame, or holds more than `limit_bytes`.
    """
    # Not needed by most of the command line.
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).decompressobj()
    found, size = [], 0
    for start in range(0, len(data), _PIECE_BYTES):
        piece = data[start : start + _PIECE_BYTES]
        try:
            found.append(decompressor.decompress(piece))
        except zstandard.ZstdError as error:
            raise MalformedError(f"no zstd frame: {error}", start) from error
        size += len(found[-1])
        if size > limit_bytes:
            raise MalformedError(f"a zstd frame that unpacks to more than {limit_bytes} bytes", start)
        if decompressor.eof:
            return b"".join(found), start + len(piece) - len(decompressor.unused_data)
    raise MalformedError("a zstd frame that is cut short", len(data))
