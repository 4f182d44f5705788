"""Where an image comes from: a file or an https address, as it is or compressed with zstd.

What comes out is one open file. It is verified and written through the same descriptor, so nobody can put another one
in its place meanwhile.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

from builder import log
from builder.deliver.refusals import IMAGE_SECTOR_BYTES
from builder.errors import BuilderError
from builder.fetch import CHUNK_BYTES, cache_directory, check_room, fetch_new, fetch_page, file_sha256

_COMPRESSED = ".zst"
_SUMS = "SHA256SUMS"
_ZEROS = bytes(CHUNK_BYTES)
# RFC 8878, section 3.1.1.1, with the magic number.
_HEADER_BYTES = 18
# What `zstd --long` makes at most without further ado; more would be memory for whoever made the file.
_WINDOW_BYTES = 128 << 20


@dataclass(frozen=True)
class OpenImage:
    """A raw image, open for reading as `descriptor`; `beside` is the directory that its evidence may be in."""

    name: str
    descriptor: int
    size_bytes: int
    beside: Path

    @property
    def path(self) -> Path:
        """A path at which the same open file is found, by this process and as long as it is open (proc(5))."""
        return Path(f"/proc/self/fd/{self.descriptor}")


@contextmanager
def open_image(source: str, *, sha256: str | None, limit_bytes: int) -> Iterator[OpenImage]:
    """Open the image at a path or an https address, for a `with` block.

    `sha256` is that of the file there; for an address it is otherwise taken from SHA256SUMS beside it, if there is one.
    Raises BuilderError when the file is another one, is no raw image, or becomes larger than `limit_bytes`, and
    ToolError when it cannot be had.
    """
    path, name = _local_file(source, sha256)
    try:
        with path.open("rb") as file:
            if name.endswith(_COMPRESSED):
                with _unpacked(file.fileno(), name, limit_bytes) as raw:
                    yield _opened(raw, name.removesuffix(_COMPRESSED), path.parent)
            else:
                yield _opened(file.fileno(), name, path.parent)
    except IsADirectoryError:
        raise BuilderError(f"{path} is a directory, not an image", hint="Name the .raw file in it") from None


def _opened(descriptor: int, name: str, beside: Path) -> OpenImage:
    size_bytes = os.fstat(descriptor).st_size
    head = os.pread(descriptor, 2 * IMAGE_SECTOR_BYTES, 0)
    if size_bytes % IMAGE_SECTOR_BYTES or not head[IMAGE_SECTOR_BYTES:].startswith(b"EFI PART"):
        hint = "An image ends in .raw or .raw.zst, for example build/qemu/out/claudineos_0.1.0.raw"
        raise BuilderError(f"{name} is not a raw disk image: it has no GPT partition table", hint=hint)
    return OpenImage(name, descriptor, size_bytes, beside)


def _local_file(source: str, sha256: str | None) -> tuple[Path, str]:
    """Return the path and the name of the file that is meant, downloaded if need be."""
    if "://" not in source:
        path = Path(source)
        if not path.exists():
            raise BuilderError(f"there is no image {path}", hint="Build one: claudineos build")
        if sha256 is not None and (found := file_sha256(path)) != sha256:
            raise BuilderError(f"{path} has the SHA-256 {found}, expected {sha256}", hint="It is another file")
        return path, path.name
    address = urlsplit(source)
    if address.scheme != "https":
        raise BuilderError(f"{source} is not an https address", hint="Images are fetched over https only")
    name = Path(address.path).name
    path, _ = fetch_new(source, sha256=sha256 or _listed_sum(source, name))
    return path, name


def _listed_sum(url: str, name: str) -> str | None:
    """Return the SHA-256 that SHA256SUMS beside an image says (sha256sum(1)); it spares a second download."""
    sums = fetch_page(urljoin(url, _SUMS))
    for line in (sums or "").splitlines():
        digest, _, listed = line.partition(" ")
        if listed.lstrip(" *") == name and len(digest) == 64:
            return digest.lower()
    return None


@contextmanager
def _unpacked(compressed: int, name: str, limit_bytes: int) -> Iterator[int]:
    """Unpack into a file without a name, which is gone when it is closed, whatever happens."""
    import zstandard

    cache = cache_directory()
    with tempfile.TemporaryFile(dir=cache) as raw:
        try:
            # It is in the header of what was made from a file, and -1 for what came through a pipe.
            told_bytes = zstandard.frame_content_size(os.pread(compressed, _HEADER_BYTES, 0))
            _check_size(name, told_bytes, limit_bytes)
            check_room(cache, told_bytes)
            _unpack(compressed, raw, name, limit_bytes)
        except zstandard.ZstdError as error:
            raise BuilderError(f"{name} is damaged: {error}", hint="Fetch or copy it again") from error
        if raw.tell() < told_bytes:
            raise BuilderError(f"{name} is cut short: {raw.tell():,} bytes of {told_bytes:,}", hint="Fetch it again")
        raw.truncate()
        raw.flush()
        yield raw.fileno()


def _unpack(compressed: int, raw: BinaryIO, name: str, limit_bytes: int) -> None:
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    size_bytes, done_bytes = os.fstat(compressed).st_size, 0
    with (
        os.fdopen(os.dup(compressed), "rb") as source,
        decompressor.stream_reader(source, read_across_frames=True) as stream,
        log.progress(f"Unpacking {name}", size_bytes) as advance,
    ):
        while chunk := stream.read(CHUNK_BYTES):
            _check_size(name, raw.tell() + len(chunk), limit_bytes)
            if chunk == _ZEROS[: len(chunk)]:
                raw.seek(len(chunk), os.SEEK_CUR)
            else:
                raw.write(chunk)
            advance(source.tell() - done_bytes)
            done_bytes = source.tell()


def _check_size(name: str, size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        message = f"{name} unpacks to more than the {limit_bytes:,} bytes of the disk"
        raise BuilderError(message, hint="Use a larger disk, or look at where the file comes from")
