"""The SBOM tells of the image that is booted: its files are those, and its licences can be read on it."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from builder.sbom import SUFFIX, list_licences, read_sbom
from builder.sbom.components import property_of
from builder.vm.disk_image import DiskImage


@pytest.fixture(scope="module")
def sbom(image: DiskImage) -> dict[str, Any]:
    return read_sbom(image.path.with_name(f"{image.path.stem}{SUFFIX}"))


def lines_of(host: Any, command: str, names: list[str]) -> list[str]:
    """Run a command on many files, a few hundred at a time: a command line has its limits."""
    found: list[str] = []
    for start in range(0, len(names), 300):
        found += host.check_output(f"{command} {shlex.join(names[start : start + 300])}").splitlines()
    return found


def test_every_licence_has_its_text_in_the_image(host: Any, sbom: dict[str, Any]) -> None:
    licences = list_licences(sbom)
    assert {licence.licence: licence.without_text for licence in licences if licence.without_text} == {}
    texts = sorted({text for licence in licences for text in licence.texts if text.startswith("/")})
    assert len(texts) > 100
    assert len(lines_of(host, "ls -dL", texts)) == len(texts)


def test_the_files_that_no_package_brought_are_as_it_says(host: Any, sbom: dict[str, Any]) -> None:
    files = [one for one in sbom["components"] if one["type"] == "file" and property_of(one, "in") == ("root",)]
    digests = {one["name"]: one["hashes"][0]["content"] for one in files if "hashes" in one}
    # What is made at every start hides a few of the root's own.
    hidden = {name for name in digests if Path(name).parts[1] in ("run", "tmp", "var") or name == "/etc/machine-id"}
    names = sorted(set(digests) - hidden)
    found = dict(line.split("  ", 1)[::-1] for line in lines_of(host, "sha256sum", names))
    assert found == {name: digests[name] for name in names}


def test_it_is_of_this_image(image: DiskImage, sbom: dict[str, Any]) -> None:
    record = json.loads((image.path.parent / "build.json").read_text())
    (digest,) = sbom["metadata"]["component"]["hashes"]
    assert digest["content"] == record["files"][image.path.name]
