"""A key set is made whole or not at all, and its private keys are never readable by others."""

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from builder.errors import BuilderError
from builder.keys import Role, create_keys, load_or_create_throwaway
from builder.keys.create import MAX_OWNER_BYTES

KEYS = {f"{role}.key" for role in Role}
PUBLIC = {f"{role}.crt" for role in Role} | {"PK.auth", "KEK.auth", "db.auth", "db-microsoft.auth"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def files_limited_to(size_bytes: int) -> Iterator[None]:
    """Let the kernel refuse to write more into any file: what a full disk looks like from here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir(mode=0o755)
    for name, mask in (("new", 0o000), ("empty", 0o077)):
        with umask(mask):
            create_keys(tmp_path / name, "Ada")
        assert mode(tmp_path / name) == 0o700
        modes = {path.name: mode(path) for path in (tmp_path / name).iterdir()}
        assert modes == dict.fromkeys(KEYS, 0o600) | dict.fromkeys(PUBLIC, 0o644)
    assert {path.name for path in tmp_path.iterdir()} == {"new", "empty"}


def test_what_is_there_is_never_overwritten(key_dir: Path) -> None:
    before = {path: path.read_bytes() for path in key_dir.iterdir()}
    with pytest.raises(BuilderError, match="never overwritten") as caught:
        create_keys(key_dir, "Ada")
    assert "for example" in caught.value.hint
    assert {path: path.read_bytes() for path in key_dir.iterdir()} == before


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    # Keys and certificates fit, the signed updates do not.
    with files_limited_to(1800), pytest.raises(BuilderError, match="cannot be written: File too large") as caught:
        create_keys(tmp_path / "keys", "Ada")
    assert str(caught.value.location) == str(tmp_path / "keys")
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_one_error() -> None:
    with pytest.raises(BuilderError, match="cannot be written"):
        create_keys(Path("/proc/self/keys"), "Ada")
    with pytest.raises(BuilderError, match="cannot be written"):
        load_or_create_throwaway(Path("/proc/self/cache/keys"))


def test_places_that_cannot_become_a_key_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    for name, message in (("file", "not a directory"), ("link", "a link"), ("missing/keys", "there is no directory")):
        with pytest.raises(BuilderError, match=message):
            create_keys(tmp_path / name, "Ada")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "link"}


@pytest.mark.parametrize("owner", ["", " Ada", "Ada\n", "Ada\x1b[31m", "Ada\udc80", "é" * MAX_OWNER_BYTES])
def test_owners_that_do_not_fit_a_certificate(tmp_path: Path, owner: str) -> None:
    with pytest.raises(BuilderError, match="does not fit into a certificate"):
        create_keys(tmp_path / "keys", owner)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("role", Role)
def test_certificates_are_no_authorities_and_sign_for_themselves(pristine: Path, role: Role) -> None:
    certificate = x509.load_pem_x509_certificate((pristine / f"{role}.crt").read_bytes())
    certificate.verify_directly_issued_by(certificate)
    public_key = certificate.public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    assert public_key.key_size == 2048
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature


def test_a_throwaway_set_says_so_in_every_subject_and_is_used_again(throwaway: Path) -> None:
    before = (throwaway / "db.crt").read_bytes()
    keys = load_or_create_throwaway(throwaway)
    assert keys.throwaway
    assert all("THROW-AWAY, not for real devices" in pair.certificate.subject for pair in keys.pairs)
    assert (throwaway / "db.crt").read_bytes() == before


def test_real_keys_are_not_taken_for_throwaway_ones(key_dir: Path) -> None:
    with pytest.raises(BuilderError, match="somebody's real keys") as caught:
        load_or_create_throwaway(key_dir)
    assert "--keys" in caught.value.hint


def test_damaged_throwaway_keys_are_to_be_deleted(key_dir: Path) -> None:
    (key_dir / "db.key").unlink()
    with pytest.raises(BuilderError, match="throw-away keys are damaged") as caught:
        load_or_create_throwaway(key_dir)
    assert caught.value.hint.startswith(f"Delete {key_dir}")
