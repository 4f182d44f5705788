"""`claudineos verify`: a line for each claim on stdout, advice on stderr, and an exit code that a script can use."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding

from builder.cli.verify import command
from builder.errors import BuilderError
from builder.verify import Evidence
from builder.verify.claims.gpt import unchecked
from builder.verify.disk import open_disk
from builder.verify.layout import MODEL, ROOT
from tests.support.model_image import Owner
from tests.support.tiny_boot import root_hash_of, tiny_boot, write_build
from tests.support.tiny_disk import SECTOR, TinyDisk
from tests.support.tiny_image import LABEL


@pytest.fixture
def image(system: TinyDisk, owner: Owner, tmp_path: Path) -> Path:
    path, record = write_build(tmp_path, system, tiny_boot(owner, LABEL, root_hash_of(system)))
    (tmp_path / "build.json").write_text(json.dumps(record))
    return path.rename(tmp_path / "tiny.raw")


def change(image: Path, offset: int) -> None:
    content = bytearray(image.read_bytes())
    content[offset] ^= 1
    image.write_bytes(content)


def verify(*arguments: str | Path) -> Result:
    """What `return_value` of the result says is the exit code."""
    given = [str(argument) for argument in arguments]
    return CliRunner().invoke(command, given, catch_exceptions=False, standalone_mode=False)


def test_a_whole_image_gets_a_line_for_each_claim(image: Path, certificate: Path) -> None:
    result = verify(image, "--cert", certificate)
    assert (result.return_value, result.stderr) == (0, "")
    *lines, last = result.stdout.splitlines()
    findings, registers = lines[:-3], lines[-3:]
    assert all(line.startswith("✓ ") for line in findings)
    assert [line[:6] for line in registers] == ["PCR  4", "PCR  7", "PCR 11"]
    assert last == f"tiny.raw: {len(findings)} of {len(findings)} findings passed"


def test_a_failed_claim_says_where_and_what_it_means(image: Path, system: TinyDisk, certificate: Path) -> None:
    offset = system.offset(ROOT)
    change(image, offset + 10)
    result = verify(image, "--cert", certificate)
    assert result.return_value == 1
    assert "✗ root-hash: 1 blocks that do not fit their hashes, the first here" in result.stdout
    assert f"    where:    root, byte {offset}" in result.stdout
    assert "a machine refuses it" in result.stdout


def test_evidence_is_kept_as_it_is_shown(image: Path, certificate: Path, tmp_path: Path) -> None:
    kept = tmp_path / "evidence.json"
    result = verify(image, "--cert", certificate, "--evidence", kept, "--json")
    assert result.stdout == kept.read_text()
    evidence = Evidence.from_json(result.stdout)
    assert Evidence.from_json(evidence.to_json()) == evidence
    assert json.loads(result.stdout)["schema"] == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "findings": [{}]}', "null"])
def test_what_is_no_evidence_is_refused(text: str) -> None:
    with pytest.raises(BuilderError, match="not the evidence of an image"):
        Evidence.from_json(text)


def test_certificates_that_came_with_the_image_prove_only_consistency(image: Path, owner: Owner) -> None:
    pem = owner.certificate.public_bytes(Encoding.PEM).decode()
    certificates = {"verity": {"sha256": owner.fingerprint, "pem": pem}}
    (image.parent / "build.json").write_text(json.dumps({"certificates": certificates}))
    result = verify(image)
    assert "the certificates came with the image" in result.stderr
    assert "✓ root-signature" in result.stdout


def test_a_certificate_of_another_role_signs_no_root_hash(image: Path, owner: Owner) -> None:
    pem = owner.certificate.public_bytes(Encoding.PEM).decode()
    (image.parent / "build.json").write_text(json.dumps({"certificates": {"PK": {"pem": pem}}}))
    assert "✗ root-signature" in verify(image).stdout


def test_the_record_of_the_build_must_name_the_same_weights(image: Path, certificate: Path) -> None:
    (image.parent / "build.json").write_text(json.dumps({"model": {"weights_sha256": "00" * 32}}))
    assert "✗ model-weights" in verify(image, "--cert", certificate).stdout


def test_the_record_may_be_elsewhere_than_the_image(image: Path, owner: Owner, tmp_path: Path) -> None:
    """As for a disk, which has nothing beside it."""
    place = tmp_path / "out"
    place.mkdir()
    pem = owner.certificate.public_bytes(Encoding.PEM).decode()
    (place / "build.json").write_text(json.dumps({"certificates": {"verity": {"pem": pem}}}))
    assert "✓ root-signature" in verify(image, "--record", place).stdout


RECORDS = [
    "{",
    "[]",
    "[" * 100_000,
    '{"certificates": {"verity": {"pem": "x"}}}',
    '{"certificates": {"x": {"pem": ""}}}',
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_that_is_none_is_refused(record: str, image: Path) -> None:
    (image.parent / "build.json").write_text(record)
    with pytest.raises(BuilderError) as refused:
        verify(image)
    assert "--cert" in str(refused.value)


def test_without_any_certificate_nothing_is_checked(image: Path) -> None:
    with pytest.raises(BuilderError, match="there is no certificate to check with"):
        verify(image)


@pytest.mark.parametrize("content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_file_that_is_no_certificate_is_refused(content: bytes, image: Path, tmp_path: Path) -> None:
    path = tmp_path / "owner.crt"
    path.write_bytes(content)
    with pytest.raises(BuilderError, match="not a certificate"):
        verify(image, "--cert", path)


def test_a_certificate_may_be_in_der(image: Path, owner: Owner, tmp_path: Path) -> None:
    path = tmp_path / "owner.der"
    path.write_bytes(owner.certificate.public_bytes(Encoding.DER))
    assert verify(image, "--cert", path).return_value == 0


@pytest.mark.parametrize("name", ["missing.raw", ".", "missing.raw.zst"])
def test_what_cannot_be_read_is_refused(name: str, certificate: Path, tmp_path: Path) -> None:
    with pytest.raises(BuilderError):
        verify(tmp_path / name, "--cert", certificate)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/claudineos"


def test_a_compressed_image_is_unpacked_for_as_long_as_it_is_checked(
    image: Path, certificate: Path, cache: Path
) -> None:
    compressed = image.with_suffix(".raw.zst")
    compressed.write_bytes(zstandard.compress(image.read_bytes()))
    image.unlink()
    result = verify(compressed, "--cert", certificate)
    assert (result.return_value, result.stdout.splitlines()[-1][:8]) == (0, "tiny.raw")
    assert list(cache.iterdir()) == []


def test_a_damaged_compressed_image_is_refused(image: Path, certificate: Path, cache: Path) -> None:
    compressed = image.with_suffix(".raw.zst")
    compressed.write_bytes(b"x" + zstandard.compress(image.read_bytes()))
    with pytest.raises(BuilderError, match="damaged or cut short"):
        verify(compressed, "--cert", certificate)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("surplus", [-100_000, 1 << 23])
def test_a_compressed_image_of_another_length_fails(surplus: int, image: Path, certificate: Path, cache: Path) -> None:
    content = image.read_bytes()
    compressed = image.with_suffix(".raw.zst")
    compressed.write_bytes(zstandard.compress(content[:surplus] if surplus < 0 else content + bytes(surplus)))
    result = verify(compressed, "--cert", certificate)
    assert "✗ gpt" in result.stdout
    assert result.return_value == 1


def test_a_bomb_is_not_unpacked(image: Path, certificate: Path, cache: Path) -> None:
    """Some kilobytes that unpack to 8 GiB of anything but zeroes, behind an image of one megabyte."""
    compressor = zstandard.ZstdCompressor(level=1).compressobj()
    compressed = image.with_suffix(".raw.zst")
    with compressed.open("wb") as file:
        file.write(compressor.compress(image.read_bytes()))
        for _ in range(256):
            file.write(compressor.compress(b"\xff" * (1 << 20)))
        file.write(compressor.flush())
    result = verify(compressed, "--cert", certificate, "--json")
    assert json.loads(result.stdout)["size_bytes"] < 4 << 20


def test_room_behind_the_image_on_a_disk_is_said_not_to_be_checked(system: TinyDisk, tmp_path: Path) -> None:
    """A disk is larger than the image that was written to it, and keeps what it had there."""
    system.reserve = 1000
    content = bytearray(system.to_bytes())
    end = system.offset(MODEL) + len(system.part(MODEL).content)
    content[end : end + 3 * 16_667] = b"old" * 16_667
    path = tmp_path / "disk"
    path.write_bytes(content)
    with open_disk(path) as disk:
        (span,) = unchecked(replace(disk, is_device=True))
        assert unchecked(disk) == ()
    assert (span.offset_bytes, span.size_bytes) == (end, len(content) - 33 * SECTOR - end)


def test_what_lies_elsewhere_is_named(image: Path, certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A disk has no files beside it."""
    alone = image.rename(tmp_path_factory.mktemp("alone") / image.name)
    result = verify(alone, "--cert", certificate)
    assert result.return_value == 1
    assert "✗ record: no build.json" in result.stdout
    assert verify(alone, "--cert", certificate, "--record", image.parent).return_value == 0
