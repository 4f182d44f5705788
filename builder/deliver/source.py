"""Where an image comes from: a file or an https address, as it is or compressed with zstd.

What comes out is one open file. It is verified and written through the same descriptor, so nobody can put another one
in its place meanwhile.
"""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from builder.deliver.refusals import IMAGE_SECTOR_BYTES
from builder.errors import BuilderError
from builder.fetch import fetch_new, fetch_page, file_sha256
from builder.verify.unpack import COMPRESSED, unpacked

_SUMS = "SHA256SUMS"
_SHA256 = re.compile("[0-9a-f]{64}")


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
def open_image(source: str, *, sha256: str | None) -> Iterator[OpenImage]:
    """Open the image at a path or an https address, for a `with` block.

    `sha256` is that of the file there; for an address it is otherwise taken from SHA256SUMS beside it, if there is one.
    Raises BuilderError when the file is another one or is no raw image, and ToolError when it cannot be had.
    """
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise BuilderError(f"{sha256} is not a SHA-256", hint="It has 64 digits, 0 to 9 and a to f")
    path, name = _local_file(source, sha256)
    if path.is_dir():
        raise BuilderError(f"{path} is a directory, not an image", hint="Name the .raw file in it")
    with ExitStack() as stack:
        raw = stack.enter_context(unpacked(path)) if name.endswith(COMPRESSED) else path
        file = stack.enter_context(raw.open("rb"))
        yield _opened(file.fileno(), name.removesuffix(COMPRESSED), path.parent)


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
        if listed.lstrip(" *") == name and _SHA256.fullmatch(digest):
            return digest
    return None
