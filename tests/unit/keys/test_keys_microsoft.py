"""Microsoft's certificates for option ROMs: enrolled when a profile says so, after the owner's, and never others."""

import shutil
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from builder.errors import BuilderError
from builder.keys import authvar, load_keys
from builder.keys.microsoft import DIGESTS, microsoft_certificates


def enrolled(update: Path, signer: Path) -> list[str]:
    """Return the common names that an update of db lists."""
    content = authvar.verified_content(
        authvar.DB, update.read_bytes(), x509.load_pem_x509_certificate(signer.read_bytes())
    )
    certificates = [x509.load_der_x509_certificate(der) for der in authvar.listed_certificates(content)]
    return [
        str(certificate.subject.get_attributes_for_oid(x509.OID_COMMON_NAME)[0].value) for certificate in certificates
    ]


OWNERS = ["Ada ClaudineOS Secure Boot db", "Ada ClaudineOS verity"]
MICROSOFTS = [
    "Microsoft Corporation UEFI CA 2011",
    "Microsoft UEFI CA 2023",
    "Microsoft Option ROM UEFI CA 2023",
]


@pytest.mark.parametrize(("microsoft", "names"), [(False, OWNERS), (True, OWNERS + MICROSOFTS)])
def test_the_profile_decides_whom_the_firmware_trusts(pristine: Path, microsoft: bool, names: list[str]) -> None:
    updates = load_keys(pristine).updates(microsoft=microsoft)
    # systemd-boot looks for these names.
    assert list(updates) == ["PK.auth", "KEK.auth", "db.auth"]
    assert enrolled(updates["db.auth"], pristine / "KEK.crt") == names


def test_windows_is_not_among_what_starts() -> None:
    assert not [c for c in microsoft_certificates() if "Windows" in c.subject.rfc4514_string()]


def test_another_certificate_is_not_taken_for_microsofts(tmp_path: Path, pristine: Path) -> None:
    for name in DIGESTS:
        shutil.copy(pristine / "db.crt", tmp_path / name)
    with pytest.raises(BuilderError, match="not the certificate that Microsoft has published"):
        microsoft_certificates(tmp_path)


def test_a_set_from_before_still_serves_those_who_leave_them_out(key_dir: Path) -> None:
    (key_dir / "db-microsoft.auth").unlink()
    keys = load_keys(key_dir)
    assert keys.updates(microsoft=False)
    with pytest.raises(BuilderError, match=r"has no db-microsoft\.auth") as caught:
        keys.updates(microsoft=True)
    assert "microsoft_certificates: false" in caught.value.hint


def test_somebody_elses_update_is_refused(key_dir: Path, foreign: Path) -> None:
    shutil.copy(foreign / "db-microsoft.auth", key_dir)
    with pytest.raises(BuilderError, match=r"not an update of db signed by KEK\.crt"):
        load_keys(key_dir)


def test_an_update_without_microsofts_certificates_does_not_pass_for_one(key_dir: Path) -> None:
    shutil.copy(key_dir / "db.auth", key_dir / "db-microsoft.auth")
    with pytest.raises(BuilderError, match=r"verity\.crt and Microsoft's certificates, exactly"):
        load_keys(key_dir)


def test_what_is_in_the_repository_is_in_one_form() -> None:
    """Not a byte beside the certificates, so that a review sees all there is."""
    directory = Path(authvar.__file__).parent / "microsoft"
    assert {path.name for path in directory.glob("*.crt")} == set(DIGESTS)
    for certificate, name in zip(microsoft_certificates(), DIGESTS, strict=True):
        assert (directory / name).read_bytes() == certificate.public_bytes(Encoding.PEM)
