"""Tiny Debian packages, and what an index says of them (deb(5): an ar archive of tar archives)."""

import hashlib
import io
import tarfile

ARCHITECTURE = "amd64"
SOURCE = "tiny"


def package_bytes(name: str, version: str) -> bytes:
    """Return a package file with nothing in it."""
    members = {
        "debian-binary": b"2.0\n",
        "control.tar": _tar({"./control": control(name, version).encode()}),
        "data.tar": _tar({}),
    }
    return b"!<arch>\n" + b"".join(_member(member, data) for member, data in members.items())


def control(name: str, version: str) -> str:
    """Return what a package says of itself."""
    return (
        f"Package: {name}\nSource: {SOURCE}\nVersion: {version}\nArchitecture: {ARCHITECTURE}\n"
        "Maintainer: A test <test@example.org>\nDescription: nothing\n in two lines\n"
    )


def index_entry(name: str, version: str) -> str:
    """Return the package's entry in the index of a mirror."""
    data = package_bytes(name, version)
    sha256 = hashlib.sha256(data).hexdigest()
    return f"{control(name, version)}Filename: {pool_path(name, version)}\nSize: {len(data)}\nSHA256: {sha256}\n"


def status_entry(name: str, version: str) -> str:
    """Return what dpkg writes down of a package that it has installed."""
    return f"{control(name, version)}Status: install ok installed\n"


def pool_path(name: str, version: str) -> str:
    """Return the package's path on a mirror: without the version's epoch, as the archive has it."""
    return f"pool/main/t/{SOURCE}/{name}_{version.rpartition(':')[2]}_{ARCHITECTURE}.deb"


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _member(name: str, data: bytes) -> bytes:
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n"
    return header.encode() + data + b"\n" * (len(data) % 2)
