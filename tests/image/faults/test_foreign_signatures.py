"""Signatures that are missing, somebody else's, or the owner's own under something older: none of them is enough."""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7

from builder.image import Artifacts, BuildLayout
from builder.keys import KeyPair, KeySet, create_keys
from builder.run import run
from builder.toolchain import Toolchain
from builder.vm.directory import MachineDirectory
from builder.vm.disk_image import DiskImage, efi_partition_offset, open_disk_image
from tests.image.faults.machines import SwitchOn
from tests.image.faults.refusal import expect_firmware_refusal, expect_initrd_refusal
from tests.support.spoiled_disk import change_esp_file, write

OLDER = Path(__file__).parent / "profiles/older.yaml"


@pytest.fixture(scope="session")
def foreign_keys(tmp_path_factory: pytest.TempPathFactory) -> KeySet:
    """The keys of somebody else, as good as the owner's, but enrolled nowhere."""
    return create_keys(tmp_path_factory.mktemp("foreign") / "keys", "Mallory")


def without_signature(toolchain: Toolchain, place: Path, kernel_image: bytes) -> bytes:
    """Return a kernel image as it was before it was signed."""
    file = place / "unsigned.efi"
    file.write_bytes(kernel_image)
    run(toolchain.box(["sbattach", "--remove", str(file)]))
    return file.read_bytes()


def signed_by(toolchain: Toolchain, place: Path, pair: KeyPair, kernel_image: bytes) -> bytes:
    """Return an unsigned kernel image signed by a key."""
    file, signed = place / "unsigned.efi", place / "signed.efi"
    file.write_bytes(kernel_image)
    key = ["--key", str(pair.key), "--cert", str(pair.certificate.path)]
    run(toolchain.box(["sbsign", *key, "--output", str(signed), str(file)]))
    return signed.read_bytes()


def test_the_firmware_refuses_a_kernel_image_without_a_signature(
    toolchain: Toolchain,
    image: DiskImage,
    artifacts: Artifacts,
    copy: MachineDirectory,
    switch_on: SwitchOn,
    tmp_path: Path,
) -> None:
    def strip(content: bytes) -> bytes:
        return without_signature(toolchain, tmp_path, content)

    change_esp_file(toolchain, copy.disk, image.path, f"EFI/Linux/{artifacts.uki}", strip)
    with switch_on(copy.path) as machine:
        expect_firmware_refusal(machine, "refused the kernel image")


def test_the_firmware_refuses_a_kernel_image_that_another_owner_signed(
    toolchain: Toolchain,
    image: DiskImage,
    artifacts: Artifacts,
    foreign_keys: KeySet,
    copy: MachineDirectory,
    switch_on: SwitchOn,
    tmp_path: Path,
) -> None:
    def sign(content: bytes) -> bytes:
        return signed_by(toolchain, tmp_path, foreign_keys.db, without_signature(toolchain, tmp_path, content))

    change_esp_file(toolchain, copy.disk, image.path, f"EFI/Linux/{artifacts.uki}", sign)
    with switch_on(copy.path) as machine:
        expect_firmware_refusal(machine, "refused the kernel image")


def test_the_kernel_refuses_a_root_hash_that_another_owner_signed(
    toolchain: Toolchain,
    image: DiskImage,
    artifacts: Artifacts,
    foreign_keys: KeySet,
    copy: MachineDirectory,
    switch_on: SwitchOn,
) -> None:
    """A good signature over the right hash, that names the owner's certificate; only the key is another one."""
    partition = artifacts.partitions[3]
    with image.path.open("rb") as file:
        file.seek(partition.offset_bytes)
        content = json.loads(file.read(partition.size_bytes).rstrip(b"\0"))
    content["signature"] = base64.b64encode(root_hash_signature(artifacts.root_hash, foreign_keys.verity)).decode()
    forged = json.dumps(content).encode().ljust(partition.size_bytes, b"\0")
    write(toolchain, copy.disk, partition.offset_bytes, forged)
    with switch_on(copy.path) as machine:
        expect_initrd_refusal(machine)


def root_hash_signature(root_hash: str, pair: KeyPair) -> bytes:
    """Sign a root hash as systemd-repart does (PKCS#7 without certificates, over the hash in hex)."""
    key = load_pem_private_key(pair.key.read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    certificate = x509.load_pem_x509_certificate(pair.certificate.path.read_bytes())
    builder = pkcs7.PKCS7SignatureBuilder().set_data(root_hash.encode())
    options = [
        *(pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary),
        *(pkcs7.PKCS7Options.NoAttributes, pkcs7.PKCS7Options.NoCerts),
    ]
    return builder.add_signer(certificate, key, hashes.SHA256()).sign(Encoding.DER, options)


@pytest.fixture
def older_image(
    toolchain: Toolchain, image: DiskImage, artifacts: Artifacts, owner_keys: KeySet, tmp_path: Path
) -> DiskImage:
    """An older image of the same owner, whose root passes for the current one in everything but its content.

    The kernel image is the current one, and finds partitions with the identifiers that it looks for.
    """
    older = build_older(owner_keys, tmp_path / "build")
    changed = tmp_path / "changed.raw"
    shutil.move(older.out / Artifacts.read(older.out).image, changed)
    offset_bytes = efi_partition_offset(changed)
    esp = f"{changed}@@{offset_bytes}"
    uki = str(image.path.parent / artifacts.uki)
    run(toolchain.box(["mdel", "-i", esp, f"::/EFI/Linux/{Artifacts.read(older.out).uki}"]))
    run(toolchain.box(["mcopy", "-i", esp, uki, "::/EFI/Linux/"]))
    for number, partition in enumerate(artifacts.partitions[1:4], start=2):
        run(toolchain.box(["sfdisk", "--quiet", "--part-uuid", str(changed), str(number), partition.uuid]))
    return open_disk_image(changed)


def build_older(keys: KeySet, directory: Path) -> BuildLayout:
    argv = ["build", str(OLDER), "--keys", str(keys.directory), "--build-dir", str(directory)]
    subprocess.run([sys.executable, "-m", "builder.cli", *argv], check=True, capture_output=True)
    return BuildLayout(directory, "older")


def test_the_current_kernel_image_refuses_an_older_root_of_the_same_owner(
    older_image: DiskImage, copy: MachineDirectory, switch_on: SwitchOn
) -> None:
    with switch_on(copy.path, boots=older_image) as machine:
        expect_initrd_refusal(machine)
    # The firmware knew its keys already: it was the kernel that refused.
    assert machine.watch.resets == 0
