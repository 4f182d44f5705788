"""An image that zstd has compressed, unpacked for as long as it is looked at.

Claims need random access, so it becomes a file in the cache, with holes where there are zeroes, and nothing of it is
left. What is unpacked ends a little behind the disk that the image's own table speaks of, however much there is: enough
to see that there is more.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from builder import log
from builder.errors import BuilderError
from builder.fetch import cache_directory, check_room
from builder.verify.formats.gpt import SECTOR_BYTES, read_header
from builder.verify.formats.malformed import MalformedError

COMPRESSED = ".zst"
# What `zstd --long` makes at most without further ado; more would be memory for whoever made the file.
_WINDOW_BYTES = 128 << 20
_CHUNK_BYTES = 1 << 20


@contextmanager
def unpacked(image: Path) -> Iterator[Path]:
    """Give the path of the raw image, valid in the `with` block; BuilderError if zstd has not made it, or not whole."""
    import zstandard

    try:
        with image.open("rb") as source, tempfile.NamedTemporaryFile(dir=cache_directory(), suffix=".raw") as raw:
            title = f"Unpacking {image.name} to {Path(raw.name).parent}"
            with log.progress(title, os.fstat(source.fileno()).st_size) as advance:
                done_bytes = 0
                for _ in _unpack(source, raw):
                    advance(source.tell() - done_bytes)
                    done_bytes = source.tell()
            yield Path(raw.name)
    except zstandard.ZstdError as error:
        raise BuilderError(f"{image} is damaged or cut short: {error}", hint="Fetch or copy it again") from error
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BuilderError(f"{image} cannot be read: {error.strerror}", hint="Name a file in .raw.zst") from error


def _unpack(source: BinaryIO, raw: IO[bytes]) -> Iterator[None]:
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    with decompressor.stream_reader(source, read_across_frames=True, closefd=False) as stream:
        chunk = stream.read(_CHUNK_BYTES)
        end = _disk_bytes(chunk)
        check_room(Path(raw.name).parent, end)
        while chunk and raw.tell() <= end:
            if chunk.strip(b"\0"):
                raw.write(chunk)
            else:
                raw.seek(len(chunk), os.SEEK_CUR)
            yield
            chunk = stream.read(_CHUNK_BYTES)
    raw.truncate()
    raw.flush()


def _disk_bytes(start: bytes) -> int:
    """Return how long the disk is by its partition table; 0 without one, which is then what will be found."""
    try:
        header = read_header(lambda offset, size: start[offset : offset + size].ljust(size, b"\0"), 1)
    except MalformedError:
        return 0
    return (header.other + 1) * SECTOR_BYTES
