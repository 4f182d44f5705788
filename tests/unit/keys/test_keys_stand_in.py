"""Keys in the stead of an owner's: they say what the owner's say, in as many bytes, and sign for nobody."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from builder.errors import BuilderError
from builder.keys import KeySet, Role, create_stand_ins, enrolment_files
from builder.keys.pkcs7 import sign


def certificates(keys: Path) -> dict[Role, str]:
    return {role: (keys / role.certificate_name).read_text() for role in Role}


def updates(keys: Path, *, microsoft: bool = False) -> dict[str, bytes]:
    return {file: (keys / file).read_bytes() for file in enrolment_files(microsoft=microsoft).values()}


@pytest.fixture
def stand_ins(pristine: Path, tmp_path: Path) -> KeySet:
    return create_stand_ins(tmp_path, certificates(pristine), updates(pristine))


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@pytest.mark.parametrize("role", [Role.DB, Role.VERITY, Role.PCR])
def test_a_signature_is_as_long_as_the_owners_and_names_the_same_signer(
    stand_ins: KeySet, pristine: Path, role: Role
) -> None:
    pair = next(pair for pair in stand_ins.pairs if pair.role is role)
    owner, other = certificate(pristine / role.certificate_name), certificate(pair.certificate.path)
    assert (other.subject, other.issuer, other.serial_number) == (owner.subject, owner.issuer, owner.serial_number)
    assert other.public_key() != owner.public_key()
    signatures = [
        sign(b"root hash", load_pem_private_key(key.read_bytes(), None), signer)  # type: ignore[arg-type]
        for key, signer in ((pristine / role.key_name, owner), (pair.key, other))
    ]
    assert len(signatures[0]) == len(signatures[1])
    assert other.fingerprint(hashes.SHA256()) != owner.fingerprint(hashes.SHA256())


def test_what_the_image_shows_of_its_owner_is_the_owners(stand_ins: KeySet, pristine: Path) -> None:
    public = certificate(pristine / Role.PCR.certificate_name).public_key()
    assert stand_ins.shown_pcr_key == public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for name, path in stand_ins.updates(microsoft=False).items():
        assert path.read_bytes() == (pristine / name).read_bytes()
    for role in (Role.PK, Role.KEK):
        assert not (stand_ins.directory / role.key_name).exists()


def test_private_keys_are_for_us_alone(stand_ins: KeySet) -> None:
    for pair in stand_ins.pairs:
        if pair.key_present:
            assert pair.key.stat().st_mode & 0o777 == 0o600


def test_the_update_with_microsofts_certificates_is_taken_as_well(pristine: Path, tmp_path: Path) -> None:
    keys = create_stand_ins(tmp_path, certificates(pristine), updates(pristine, microsoft=True))
    assert keys.updates(microsoft=True)["db.auth"].read_bytes() == (pristine / "db-microsoft.auth").read_bytes()


@pytest.mark.parametrize("name", ["PK.auth", "KEK.auth", "db.auth"])
def test_an_image_that_enrols_somebody_else_is_refused(
    pristine: Path, foreign: Path, tmp_path: Path, name: str
) -> None:
    swapped = updates(pristine) | {name: (foreign / name).read_bytes()}
    with pytest.raises(BuilderError, match=f"{name} does not belong"):
        create_stand_ins(tmp_path, certificates(pristine), swapped)


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(pristine: Path, tmp_path: Path, pem: str) -> None:
    with pytest.raises(BuilderError, match="certificate verity"):
        create_stand_ins(tmp_path, certificates(pristine) | {Role.VERITY: pem}, updates(pristine))
