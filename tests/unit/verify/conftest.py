"""A tiny whole image, its owner, and what verification finds in a changed one."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from builder.verify import Evidence, Finding, verify
from builder.verify.layout import ESP
from tests.support.model_image import Owner
from tests.support.tiny_boot import root_hash_of, tiny_boot, write_build
from tests.support.tiny_disk import TinyDisk
from tests.support.tiny_image import LABEL, tiny_system
from tests.support.tiny_program import ARGUMENTS
from tests.unit.verify.changes import Change, Checked

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


@pytest.fixture
def checked(system: TinyDisk, owner: Owner, certificate: Path, tmp_path: Path) -> Checked:
    """The evidence of a build that put something else on the partition, with a record that says so (but its claims)."""

    def check(change: Change = lambda boot: None, **record_changes: object) -> Evidence:
        boot = tiny_boot(owner, LABEL, root_hash_of(system))
        content = change(boot)
        system.part(ESP).content = boot.to_bytes() if content is None else content
        image, record = write_build(tmp_path, system, boot)
        record = {**record, "command_lines": {"main": list(ARGUMENTS)}, **record_changes}
        (tmp_path / "build.json").write_text(json.dumps(record))
        return verify(image, [certificate])

    return check
