"""What the builder's readers of boot files say of what Debian's tools write, and the other way round."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from builder.run import run
from builder.toolchain import open_toolchain
from builder.verify import tpm
from builder.verify.formats import authenticode, pe
from builder.verify.formats.fat import Extent, File, read_volume
from builder.verify.formats.uki import MEASURED, read_unified_kernel
from tests.support.model_image import Owner
from tests.support.tiny_program import TinyKernel, boot_loader, signed

Tool = Callable[..., str]
DAY = datetime(2026, 11, 1, tzinfo=UTC)
FILES = {
    "EFI/BOOT/BOOTX64.EFI": bytes(range(256)) * 700,
    "EFI/Linux/claudineos_0.1.0.efi": b"a kernel image" * 90_000,
    "EFI/systemd/systemd-bootx64.efi": b"the boot loader",
    "loader/loader.conf": b"timeout 0\n",
    "loader/keys/auto/db.auth": b"k" * 4096,
    "loader/a-name-of-more-than-26-letters.conf": b"",
}


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Runs a program of the tools tree and returns what it prints."""
    toolchain = open_toolchain()
    return lambda *argv: run(toolchain.box([str(argument) for argument in argv])).stdout


@pytest.mark.parametrize("sector", [512, 4096])
def test_a_volume_of_mkfs_and_mtools_is_read_to_the_last_byte(tool: Tool, tmp_path: Path, sector: int) -> None:
    volume = tmp_path / "esp.img"
    with volume.open("wb") as file:
        # From 65,536 sectors on, their number stands where it does in an image.
        file.truncate(65536 * sector + (1 << 20))
    environment = ("env", f"SOURCE_DATE_EPOCH={int(DAY.timestamp())}", "TZ=UTC")
    tool(*environment, "mkfs.fat", "-F32", "-S", sector, "-s1", "-i", "0badcafe", "-n", "ESP", volume)
    for path, content in FILES.items():
        (tmp_path / "file" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "file" / path).write_bytes(content)
    tool(*environment, "mcopy", "-s", "-i", volume, *(tmp_path / "file").iterdir(), "::")
    content = volume.read_bytes()
    found = read_volume(lambda offset, size: content[offset : offset + size], len(content))
    assert {path: file.read(0, file.size_bytes) for path, file in found.files.items()} == FILES
    assert set().union(*found.moments.values()) == {DAY.replace(tzinfo=None)}
    assert found.traces == ()
    assert found.serial == 0x0BADCAFE
    assert not any(content[e.offset_bytes : e.offset_bytes + e.size_bytes].strip(b"\0") for e in found.unused)


@pytest.fixture
def owner_files(tmp_path: Path) -> tuple[Owner, Path, Path]:
    """An owner, and their key and certificate as files."""
    owner = Owner("Ada")
    key, certificate = tmp_path / "db.key", tmp_path / "db.crt"
    key.write_bytes(owner.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(owner.certificate.public_bytes(Encoding.PEM))
    return owner, key, certificate


def test_a_signature_of_sbsign_is_read(tool: Tool, owner_files: tuple[Owner, Path, Path], tmp_path: Path) -> None:
    owner, key, certificate = owner_files
    program, result = tmp_path / "program.efi", tmp_path / "signed.efi"
    program.write_bytes(boot_loader())
    tool("sbsign", "--key", key, "--cert", certificate, "--output", result, program)
    content = result.read_bytes()
    image = pe.read_image(lambda offset, size: content[offset : offset + size], len(content))
    signer = authenticode.signer(lambda offset, size: content[offset : offset + size], image, [owner.certificate])
    assert signer == owner.certificate
    assert pe.computed_checksum(lambda offset, size: content[offset : offset + size], image) == image.checksum


def test_sbverify_takes_what_the_tests_sign(tool: Tool, owner_files: tuple[Owner, Path, Path], tmp_path: Path) -> None:
    owner, _, certificate = owner_files
    program = tmp_path / "program.efi"
    program.write_bytes(signed(boot_loader(), owner))
    assert "Signature verification OK" in tool("sbverify", "--cert", certificate, program)


@pytest.mark.parametrize("entries", [{}, {"check": ("quiet",)}])
def test_pcr_11_is_what_systemd_measure_calculates(
    tool: Tool, tmp_path: Path, entries: dict[str, tuple[str, ...]]
) -> None:
    kernel = TinyKernel("ab" * 32, "claudineos_0.1.0", Owner("Ada"), entries=entries)
    content = kernel.to_bytes()
    file = File("kernel", len(content), (Extent(0, len(content)),), 0, lambda at, size: content[at : at + size])
    unified = read_unified_kernel(file)
    for profile in unified.profiles:
        options, phases = [], []
        for number, name in enumerate(MEASURED):
            if name in profile.sections:
                path = tmp_path / f"{profile.id}{number}"
                path.write_bytes(unified.content(profile.sections[name]))
                options.append(f"--{name[1:]}={path}")
        for count in range(1, len(tpm.PHASES) + 1):
            phases.append("--phase=" + ":".join(tpm.PHASES[:count]))
        calculated = json.loads(
            tool("/usr/lib/systemd/systemd-measure", "calculate", "--json=short", "--bank=sha256", *options, *phases)
        )
        values = tpm.kernel_phases(unified, profile)
        assert [entry["hash"] for entry in calculated["sha256"]] == [value.hex() for value in values.values()]
