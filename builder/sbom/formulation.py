"""How the image was made: the tools, as CycloneDX's formulation has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from packageurl import PackageURL

from builder.toolchain.apt import TOOLS_RELEASE

Json = dict[str, Any]


@dataclass(frozen=True)
class Tools:
    """What made an image: this builder, mkosi, and the packages of the tools tree (name, version, architecture)."""

    builder_version: str
    mkosi_version: str
    packages: tuple[tuple[str, str, str], ...]


def builder_component(tools: Tools) -> Json:
    """Describe this program, which wrote the SBOM too."""
    return {"type": "application", "name": "claudineos", "version": tools.builder_version}


def formulation(tools: Tools, image: str, inputs: Iterable[str], facts: Mapping[str, str]) -> list[Json]:
    """Describe the build: tools, the components `inputs` that went in, and the `image` that came out (all bom-refs)."""
    programs = [
        {**builder_component(tools), "bom-ref": "tool:claudineos"},
        {"type": "application", "bom-ref": "tool:mkosi", "name": "mkosi", "version": tools.mkosi_version},
    ]
    packages = [_tool(*package) for package in sorted(tools.packages)]
    workflow = {
        "bom-ref": "build",
        "uid": image,
        "name": "claudineos build",
        "taskTypes": ["build"],
        "resourceReferences": [{"ref": program["bom-ref"]} for program in programs],
        "inputs": [{"resource": {"ref": ref}} for ref in inputs],
        "outputs": [{"type": "artifact", "resource": {"ref": image}}],
        "properties": [{"name": f"claudineos:{name}", "value": value} for name, value in facts.items()],
    }
    return [{"components": [*programs, *packages], "workflows": [workflow]}]


def _tool(name: str, version: str, architecture: str) -> Json:
    qualifiers = {"arch": architecture, "distro": TOOLS_RELEASE}
    url = PackageURL("deb", "debian", name, version, qualifiers).to_string()
    # The same package may be in the image, with a reference of its own.
    return {"type": "application", "bom-ref": f"tool:{url}", "name": name, "version": version, "purl": url}
