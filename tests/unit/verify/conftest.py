"""A tiny whole image, its owner, and what verification finds in a changed one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from builder.verify import Evidence, Finding, verify
from tests.support.model_image import Owner
from tests.support.tiny_disk import TinyDisk
from tests.support.tiny_image import tiny_system

Verified = Callable[[TinyDisk | bytes], Evidence]


@pytest.fixture(scope="session")
def owner() -> Owner:
    return Owner("Ada")


@pytest.fixture(scope="session")
def certificate(owner: Owner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "verity.crt"
    path.write_bytes(owner.certificate.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def system(owner: Owner) -> TinyDisk:
    return tiny_system(owner)


@pytest.fixture
def verified(certificate: Path, tmp_path: Path) -> Verified:
    """The evidence about an image's partitions, checked with the owner's certificate."""

    def evidence(image: TinyDisk | bytes) -> Evidence:
        path = tmp_path / "image.raw"
        path.write_bytes(image if isinstance(image, bytes) else image.to_bytes())
        found = verify(path, [certificate])
        return replace(found, findings=tuple(finding for finding in found.findings if about_disk(finding)))

    return evidence


def about_disk(finding: Finding) -> bool:
    """Whether it is about the partitions, whatever is in the one that the firmware reads, or beside the image."""
    return finding.claim == "gpt" or finding.claim.startswith(("root-", "model-"))
