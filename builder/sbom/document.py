"""The SBOM: a CycloneDX 1.6 document (ECMA-424) of everything that an image consists of.

Equal images have equal SBOMs: the serial number follows from the image's digest, the time is the profile's source date,
and all lists are sorted.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import date

from builder.model import ModelImage
from builder.profile.catalogue import Model
from builder.sbom.account import Account
from builder.sbom.components import (
    COMMON_LICENCE,
    Json,
    file_component,
    model_component,
    package_component,
    properties,
    sha256,
)
from builder.sbom.formulation import Tools, builder_component, formulation

SUFFIX = ".cdx.json"

# The namespace of the serial numbers, which are UUIDs made from the images' digests.
_SERIALS = uuid.UUID("3f0c6d3e-8a55-5e0b-9c86-51d9a7d0b6f4")


@dataclass(frozen=True)
class Subject:
    """The image that an SBOM is about: `label` is its id and version, `sha256` the whole disk image's digest."""

    id: str
    version: str
    label: str
    sha256: str
    size_bytes: int
    root_hash: str
    release: str
    source_date: date
    profile: str
    profile_digest: str


def compose_sbom(subject: Subject, account: Account, model: Model, model_image: ModelImage, tools: Tools) -> str:
    """Return the text of `<label>.cdx.json`."""
    packages = [package_component(package, subject.release) for package in account.packages]
    learned = model_component(model, model_image)
    files = [file_component(loose) for loose in account.loose_files]
    inputs = sorted(component["bom-ref"] for component in (*packages, learned))
    facts = {"profile": subject.profile, "profile-digest": subject.profile_digest}
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(_SERIALS, subject.sha256).urn,
        "version": 1,
        "metadata": {
            "timestamp": f"{subject.source_date.isoformat()}T00:00:00Z",
            "lifecycles": [{"phase": "post-build"}],
            "tools": {"components": [builder_component(tools)]},
            "component": _image(subject, account),
        },
        "components": [*packages, learned, *files],
        "dependencies": [{"ref": subject.label, "dependsOn": inputs}],
        # Of every file system in the image, every file is accounted for.
        "compositions": [{"aggregate": "complete", "assemblies": [subject.label]}],
        "formulation": formulation(tools, subject.label, inputs, facts),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _image(subject: Subject, account: Account) -> Json:
    return {
        "type": "operating-system",
        "bom-ref": subject.label,
        "name": subject.id,
        "version": subject.version,
        "hashes": sha256(subject.sha256),
        "properties": properties(
            ("bytes", subject.size_bytes),
            ("root-hash", subject.root_hash),
            *((COMMON_LICENCE, path) for path in account.common_licences),
        ),
    }
