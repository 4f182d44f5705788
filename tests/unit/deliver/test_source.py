"""An image comes from a file or over https, packed or not, and only as it was meant."""

import hashlib
import os
from pathlib import Path

import pytest
import zstandard

from builder.deliver.source import open_image
from builder.errors import BuilderError, ToolError
from tests.support.small_image import MIB, small_image
from tests.support.web_server import WebServer


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return small_image(tmp_path / "image.raw")


def content(source: str | Path, *, sha256: str | None = None) -> bytes:
    with open_image(str(source), sha256=sha256) as opened:
        data = os.pread(opened.descriptor, opened.size_bytes, 0)
        assert opened.path.read_bytes() == data
        return data


def packed(image: bytes, *, told_size: bool = True) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=told_size).compress(image)


def test_a_file_is_taken_as_it_is(image: bytes, tmp_path: Path) -> None:
    assert content(tmp_path / "image.raw") == image
    with open_image(str(tmp_path / "image.raw"), sha256=None) as opened:
        assert (opened.name, opened.beside) == ("image.raw", tmp_path)


@pytest.mark.parametrize("told_size", [True, False])
def test_a_packed_one_is_unpacked_and_nothing_of_it_stays(image: bytes, tmp_path: Path, told_size: bool) -> None:
    path = tmp_path / "image.raw.zst"
    # In two frames, as parallel compressors write it.
    path.write_bytes(packed(image[: 5 * MIB], told_size=told_size) + packed(image[5 * MIB :], told_size=told_size))
    assert content(path) == image
    assert list((tmp_path / "cache/claudineos").iterdir()) == []


# (what is in image.raw.zst, what is told)
DAMAGED = [
    (lambda image: packed(image)[:-9] + b"somewhere", "damaged"),
    (lambda image: b"no archive at all", "damaged"),
    (lambda image: b"", "no GPT partition table"),
    (lambda image: packed(b"a text"), "no GPT partition table"),
]


@pytest.mark.parametrize(("make", "told"), DAMAGED)
def test_a_damaged_archive_is_told(image: bytes, tmp_path: Path, make: object, told: str) -> None:
    assert callable(make)
    (tmp_path / "image.raw.zst").write_bytes(make(image))
    with pytest.raises(BuilderError, match=told):
        content(tmp_path / "image.raw.zst")


def test_what_is_no_image_is_told(image: bytes, tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text("a text\n")
    (tmp_path / "half.raw").write_bytes(image[:-1])
    for named, told in [
        ("SHA256SUMS", "no GPT"),
        ("half.raw", "no GPT"),
        ("nowhere.raw", "no image"),
        ("", "directory"),
    ]:
        with pytest.raises(BuilderError, match=told):
            content(tmp_path / named)


def test_a_file_with_another_sum_is_refused(image: bytes, tmp_path: Path) -> None:
    assert content(tmp_path / "image.raw", sha256=hashlib.sha256(image).hexdigest()) == image
    with pytest.raises(BuilderError, match=f"has the SHA-256 {hashlib.sha256(image).hexdigest()}, expected 0000"):
        content(tmp_path / "image.raw", sha256="0" * 64)
    with pytest.raises(BuilderError, match="is not a SHA-256"):
        content(tmp_path / "image.raw", sha256="../image.raw")


def sums(data: bytes) -> bytes:
    return f"{'1' * 64}  other.raw\n{hashlib.sha256(data).hexdigest()}  image.raw.zst\n".encode()


def test_an_image_comes_over_https(image: bytes, web: WebServer) -> None:
    web.files["/image.raw"] = image
    assert content(f"{web.url}/image.raw") == image


def test_a_broken_download_is_continued(image: bytes, web: WebServer) -> None:
    web.files["/image.raw.zst"] = packed(image)
    web.cut_after_bytes = 5 * MIB
    with pytest.raises(ToolError, match="could not be fetched"):
        content(f"{web.url}/image.raw.zst")
    web.cut_after_bytes = None
    assert content(f"{web.url}/image.raw.zst") == image
    path, wanted = web.requests[-1]
    assert path == "/image.raw.zst"
    assert wanted.startswith("bytes=")


def test_with_a_sum_beside_it_it_is_fetched_once(image: bytes, web: WebServer) -> None:
    data = packed(image)
    web.files |= {"/image.raw.zst": data, "/SHA256SUMS": sums(data)}
    assert content(f"{web.url}/image.raw.zst") == content(f"{web.url}/image.raw.zst") == image
    fetched = [path for path, _ in web.requests if path == "/image.raw.zst"]
    # Once to ask how large it is, once for its content.
    assert len(fetched) == 2


def test_another_file_than_the_sum_says_is_refused_and_not_kept(image: bytes, web: WebServer, tmp_path: Path) -> None:
    web.files |= {"/image.raw.zst": packed(image), "/SHA256SUMS": sums(b"another")}
    with pytest.raises(BuilderError, match="has the SHA-256"):
        content(f"{web.url}/image.raw.zst")
    assert list((tmp_path / "cache/claudineos/files").iterdir()) == []


def test_without_encryption_nothing_is_fetched() -> None:
    with pytest.raises(BuilderError, match="is not an https address"):
        content("http://example.org/image.raw")
