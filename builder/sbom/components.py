"""Components of the SBOM as CycloneDX 1.6 writes them: packages, files, the model.

Properties are ours, named `claudineos:…`; docs/sbom.md lists them.
"""

from collections.abc import Mapping
from typing import Any

from packageurl import PackageURL

from builder.model import ModelImage
from builder.model.ddi import LICENCE
from builder.packages import Package
from builder.profile.catalogue import Model
from builder.sbom.account import LooseFile, Origin, PackageAccount

Json = dict[str, Any]

# Properties that are read back: the path of a component's licence text, and of the root's own copies of common ones.
LICENCE_TEXT = "licence-text"
COMMON_LICENCE = "common-licence"

# The licence of what is written in this repository.
_OUR_LICENCE = "Apache-2.0"


def package_url(package: Package, release: str) -> str:
    """Return a package's name for all the world (Package-URL specification, type deb); the component's reference, too.

    >>> package_url(package, "forky")
    "pkg:deb/debian/zlib1g@1:1.3.1-1?arch=amd64&distro=forky"
    """
    qualifiers = {"arch": package.architecture, "distro": release}
    return PackageURL("deb", "debian", package.name, package.version, qualifiers).to_string()


def package_component(account: PackageAccount, release: str) -> Json:
    """Describe a Debian package; the hash is that of the .deb, which Debian's signed index has."""
    package = account.package
    url = package_url(package, release)
    return {
        "type": "library",
        "bom-ref": url,
        "name": package.name,
        "version": package.version,
        "hashes": sha256(package.sha256),
        "licenses": licences(account.licence),
        "purl": url,
        "properties": properties(
            ("source", package.source),
            ("source-version", package.source_version),
            ("deb-bytes", package.size_bytes),
            *(
                pair
                for place, share in account.shares.items()
                for pair in (("in", place), (f"{place}-files", share.files), (f"{place}-bytes", share.size_bytes))
            ),
            (LICENCE_TEXT, account.licence_text),
        ),
    }


def file_component(loose: LooseFile) -> Json:
    """Describe a file that is as no package brought it."""
    component: Json = {"type": "file", "bom-ref": f"{loose.place}:{loose.path}", "name": loose.path}
    if loose.sha256:
        component["hashes"] = sha256(loose.sha256)
    if loose.origin.startswith(Origin.OVERLAY):
        component["licenses"] = licences(_OUR_LICENCE)
    component["properties"] = properties(
        ("in", loose.place),
        ("origin", loose.origin),
        ("made-from", loose.made_from),
        ("bytes", loose.size_bytes if loose.target is None else None),
        ("link-target", loose.target),
    )
    return component


def model_component(model: Model, image: ModelImage) -> Json:
    """Describe the language model, with its card; the hash is that of the weights."""
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{model.id}",
        "name": model.name,
        "version": model.version,
        "description": model.title,
        "hashes": sha256(model.weights.sha256),
        "licenses": licences(model.licence.id),
        "modelCard": {
            "modelParameters": {
                "task": "text-generation",
                "modelArchitecture": model.architecture,
                "inputs": [{"format": "text"}],
                "outputs": [{"format": "text"}],
            },
            "considerations": {
                "technicalLimitations": [
                    f"Trained for conversations of at most {model.context_tokens} tokens",
                    f"Trained for these languages: {', '.join(model.languages)}",
                    "May say what is not so",
                ]
            },
            "properties": properties(
                ("parameters", model.parameters),
                ("quantisation", model.quantisation),
                ("context-tokens", model.context_tokens),
                *(("language", language) for language in model.languages),
                ("chat-template-sha256", model.chat_template_sha256),
            ),
        },
        "properties": properties(
            ("in", model.label),
            ("bytes", model.weights.size_bytes),
            ("root-hash", image.root_hash),
            ("image-sha256", image.sha256),
            (LICENCE_TEXT, f"{model.label}:/{LICENCE}"),
        ),
    }


def sha256(digest: str) -> list[Json]:
    """Write a SHA-256 as a component's hashes."""
    return [{"alg": "SHA-256", "content": digest}]


def licences(expression: str) -> list[Json]:
    """Write an SPDX expression as what the makers declared."""
    return [{"expression": expression, "acknowledgement": "declared"}]


def properties(*pairs: tuple[str, str | int | None]) -> list[Json]:
    """Write properties of ours; those without a value are left out."""
    return [{"name": f"claudineos:{name}", "value": str(value)} for name, value in pairs if value is not None]


def property_of(component: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Read all values of one of our properties."""
    listed = component.get("properties", ())
    return tuple(one["value"] for one in listed if one["name"] == f"claudineos:{name}")
