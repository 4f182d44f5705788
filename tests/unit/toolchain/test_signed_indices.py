"""apt's signature check stands between a mirror and us: real apt, and a mirror on this machine that cheats."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.toolchain import Archive
from builder.toolchain.mkosi import find_mkosi
from tests.support.debian_package import index_entry, package_bytes, pool_path
from tests.support.web_server import PROXIES, WebServer

RELEASE = "Origin: Debian\nLabel: Debian\nSuite: testing\nCodename: forky\nComponents: main\nArchitectures: amd64\n"
VERSION = "27.1-1"


def signed_by_nobody(text: str) -> str:
    """Sign a text in the form of Debian's InRelease (RFC 9580, 7), by a key that is in no keyring."""
    hashed = bytes([4, 0x01, 1, 8])  # version 4, of text, RSA, SHA-256
    created, issuer = bytes([5, 2, 0x6A, 0, 0, 0]), bytes([9, 16]) + bytes(range(8))
    number = (2048).to_bytes(2, "big") + b"\x80" + bytes(255)
    body = (
        hashed + len(created).to_bytes(2, "big") + created + len(issuer).to_bytes(2, "big") + issuer + b"\0\0" + number
    )
    packet = bytes([0x89]) + len(body).to_bytes(2, "big") + body
    armoured = base64.encodebytes(packet).decode()
    return (
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{text}"
        f"-----BEGIN PGP SIGNATURE-----\n\n{armoured}-----END PGP SIGNATURE-----\n"
    )


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """A mirror that has a mkosi for whoever asks, on a host that has none."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "apt.conf").write_text('Acquire::http::Proxy "DIRECT";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    monkeypatch.setattr("shutil.which", lambda name: None if name == "mkosi" else f"/usr/bin/{name}")
    with WebServer() as server:
        server.files = {
            "/dists/forky/main/binary-amd64/Packages": index_entry("mkosi", VERSION).encode(),
            f"/{pool_path('mkosi', VERSION)}": package_bytes("mkosi", VERSION),
        }
        yield server


CHEATS = [("Release", RELEASE), ("InRelease", signed_by_nobody(RELEASE)), ("InRelease", RELEASE)]


@pytest.mark.parametrize(("name", "content"), CHEATS)
def test_an_index_that_debian_has_not_signed_is_refused(
    tmp_path: Path, mirror: WebServer, name: str, content: str
) -> None:
    mirror.files[f"/dists/forky/{name}"] = content.encode()
    cache = tmp_path / "cache"
    cache.mkdir()
    with pytest.raises(ToolError, match=r"is not signed|isn't valid|couldn't be verified|NO_PUBKEY|not signed"):
        find_mkosi(cache, Archive(mirror=mirror.url))
    assert list(cache.iterdir()) == [], "nothing of it is kept"
    assert f"/{pool_path('mkosi', VERSION)}" not in [path for path, _ in mirror.requests]
