"""A build takes only a key set whose files belong together, and names the one that does not."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from builder.errors import BuilderError
from builder.keys import Role, describe, load_keys

LATER = datetime(2060, 1, 1, tzinfo=UTC)


def write_key(
    path: Path,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> None:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))


def protect(directory: Path) -> None:
    key = load_pem_private_key((directory / "db.key").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    write_key(directory / "db.key", key, BestAvailableEncryption(b"secret"))


def put_directory(directory: Path) -> None:
    (directory / "db.key").unlink()
    (directory / "db.key").mkdir()


def damage_inside_pem(directory: Path) -> None:
    key = load_pem_private_key((directory / "db.key").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    n = key.private_numbers()
    wrong = rsa.RSAPrivateNumbers(n.p, n.q, n.d ^ 4, n.dmp1 ^ 4, n.dmq1, n.iqmp, n.public_numbers)
    write_key(directory / "db.key", wrong.private_key(unsafe_skip_rsa_key_validation=True))


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


Spoil = Callable[[Path], object]

BAD_SETS: dict[str, tuple[Spoil, str, str, str]] = {
    # what is wrong: how it comes about, the file that is named, the message, the remedy
    "no private key": (lambda d: (d / "db.key").unlink(), "db.key", "is missing", "backup"),
    "no certificate": (lambda d: (d / "PK.crt").unlink(), "PK.crt", "is missing", "backup"),
    "no update": (lambda d: (d / "db.auth").unlink(), "db.auth", "is missing", "backup"),
    "a directory in its place": (
        put_directory,
        "db.key",
        "cannot be read: Is a directory",
        "user who owns",
    ),
    "readable by the group": (lambda d: (d / "pcr.key").chmod(0o640), "pcr.key", "other users", "chmod 600 "),
    "writable by others": (lambda d: (d / "PK.key").chmod(0o602), "PK.key", "other users", "chmod 600 "),
    "garbage key": (lambda d: (d / "verity.key").write_text("x"), "verity.key", "not a private key", "backup"),
    "garbage certificate": (lambda d: (d / "db.crt").write_text("x"), "db.crt", "not a certificate", "backup"),
    "damaged inside its PEM": (damage_inside_pem, "db.key", "does not belong to db.crt", "backup"),
    "passphrase": (protect, "db.key", "passphrase", "openssl pkey -in "),
    "another pair's key": (
        lambda d: shutil.copy(d / "db.key", d / "verity.key"),
        "verity.key",
        "does not belong to verity.crt",
        "backup",
    ),
    "another pair's offline key": (
        lambda d: shutil.copy(d / "KEK.key", d / "PK.key"),
        "PK.key",
        "does not belong to PK.crt",
        "backup",
    ),
    "elliptic curve": (
        lambda d: write_key(d / "pcr.key", ec.generate_private_key(ec.SECP256R1())),
        "pcr.key",
        "not an RSA key of 2048 bits",
        "keys create",
    ),
    "another variable's update": (
        lambda d: shutil.copy(d / "KEK.auth", d / "PK.auth"),
        "PK.auth",
        "not an update of PK signed by PK.crt: the signature does not match",
        "backup",
    ),
    "flipped in the last certificate": (
        lambda d: flip(d / "db.auth", -1),
        "db.auth",
        "not an update of db signed by KEK.crt: the signature does not match",
        "backup",
    ),
    "cut-off update": (lambda d: (d / "db.auth").write_bytes(b"\0" * 30), "db.auth", "cut off", "backup"),
}


@pytest.mark.parametrize(("spoil", "file", "message", "remedy"), BAD_SETS.values(), ids=BAD_SETS.keys())
def test_a_bad_set_is_one_error_with_place_and_remedy(
    key_dir: Path, spoil: Spoil, file: str, message: str, remedy: str
) -> None:
    spoil(key_dir)
    with pytest.raises(BuilderError) as caught:
        load_keys(key_dir)
    assert message in caught.value.message
    assert remedy in caught.value.hint
    assert str(caught.value.location) == str(key_dir / file)


def test_somebody_elses_update_is_refused(key_dir: Path, foreign: Path) -> None:
    shutil.copy(foreign / "db.auth", key_dir / "db.auth")
    with pytest.raises(BuilderError, match="another certificate signed it"):
        load_keys(key_dir)


def test_an_update_that_lists_a_replaced_certificate_is_refused(key_dir: Path, foreign: Path) -> None:
    for name in ("db.key", "db.crt"):
        shutil.copy(foreign / name, key_dir / name)
    with pytest.raises(BuilderError, match=r"does not list db\.crt and verity\.crt, exactly"):
        load_keys(key_dir)


def test_a_missing_directory_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(BuilderError, match="no such key directory") as caught:
        load_keys(tmp_path / "keys")
    assert caught.value.hint.endswith(f"claudineos keys create {tmp_path / 'keys'}")


def test_a_whole_set_loads(pristine: Path) -> None:
    keys = load_keys(pristine)
    assert [pair.role for pair in keys.pairs] == list(Role)
    assert keys.db.key == pristine / "db.key"
    assert keys.verity.certificate.path == pristine / "verity.crt"
    assert keys.updates(microsoft=False) == {name: pristine / name for name in ("PK.auth", "KEK.auth", "db.auth")}
    assert not keys.throwaway


def test_a_set_named_from_here_is_found_from_elsewhere(pristine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pristine.parent)
    keys = load_keys(Path(pristine.name))
    assert keys.db.key == pristine / "db.key"
    assert keys.updates(microsoft=False)["PK.auth"] == pristine / "PK.auth"


def test_the_keys_that_own_the_firmware_may_be_offline(key_dir: Path) -> None:
    (key_dir / "PK.key").unlink()
    (key_dir / "KEK.key").unlink()
    present = {pair.role: pair.key_present for pair in load_keys(key_dir).pairs}
    assert present == {Role.PK: False, Role.KEK: False, Role.DB: True, Role.VERITY: True, Role.PCR: True}


def test_a_description_gives_what_other_tools_print(pristine: Path) -> None:
    db = describe(load_keys(pristine), datetime.now(UTC))[2]
    assert (db.role, db.subject, db.key_bits) == ("db", "Ada ClaudineOS Secure Boot db", 2048)
    assert len(db.sha256.split(":")) == 32
    assert db.sha256 == db.sha256.upper()
    assert db.not_after == "2049-12-31T23:59:59+00:00"
    assert db.private_key_present


def test_expiry_is_told_and_does_not_stop_a_build(pristine: Path) -> None:
    keys = load_keys(pristine)
    assert not any(key.expired for key in describe(keys, datetime.now(UTC)))
    assert all(key.expired for key in describe(keys, LATER))
