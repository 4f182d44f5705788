"""The SBOM as a CycloneDX document: valid by the official schema, and the same for the same image."""

import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from builder.sbom import Account
from tests.support.package_trees import FakePackage
from tests.unit.sbom.conftest import PYTHON, SHELL, written


@pytest.fixture
def document(sbom: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(sbom)
    return parsed


def component(document: dict[str, Any], reference: str) -> dict[str, Any]:
    (found,) = (one for one in document["components"] if one["bom-ref"].startswith(reference))
    return dict(found)


def properties(component: dict[str, Any]) -> dict[str, str]:
    return {one["name"].removeprefix("claudineos:"): one["value"] for one in component["properties"]}


def test_it_is_valid_by_the_official_schema(sbom: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom) is None


def test_the_schema_would_notice(document: dict[str, Any]) -> None:
    document["components"][0]["licence"] = "misspelt"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is not None


def test_the_same_image_has_the_same_sbom(account: Account) -> None:
    assert written(account) == written(account)


def test_another_image_has_another_serial_number(account: Account, document: dict[str, Any]) -> None:
    other = json.loads(written(account, image_sha256="00" * 32))
    assert other["serialNumber"] != document["serialNumber"]
    assert document["metadata"]["timestamp"] == other["metadata"]["timestamp"] == "2026-11-01T00:00:00Z"


def test_a_package_is_named_for_all_the_world(document: dict[str, Any]) -> None:
    shell = component(document, "pkg:deb/debian/shell")
    assert shell["purl"] == "pkg:deb/debian/shell@1:2.0-1?arch=amd64&distro=forky"
    assert shell["hashes"] == [{"alg": "SHA-256", "content": SHELL.deb_sha256}]
    assert shell["licenses"] == [{"expression": "GPL-2.0-or-later", "acknowledgement": "declared"}]
    assert properties(component(document, "pkg:deb/debian/python"))["source"] == PYTHON.source


def test_what_we_wrote_is_under_our_licence(document: dict[str, Any]) -> None:
    assert component(document, "root:/etc/hostname")["licenses"][0]["expression"] == "Apache-2.0"
    assert "licenses" not in component(document, "root:/etc/group")


def test_the_model_has_its_card(document: dict[str, Any]) -> None:
    model = component(document, "model:")
    assert (model["type"], model["version"]) == ("machine-learning-model", "1")
    assert model["modelCard"]["modelParameters"]["modelArchitecture"] == "llama"
    card = properties(model["modelCard"])
    assert (card["parameters"], card["quantisation"]) == ("134515008", "Q4_1")
    assert model["licenses"][0]["expression"] == "Apache-2.0"
    assert properties(model)["licence-text"] == "claudine-model_smollm2-135m_1:/LICENCE"


def test_the_formulation_names_the_tools_and_what_they_made(document: dict[str, Any]) -> None:
    (formula,) = document["formulation"]
    assert [(tool["name"], tool["version"]) for tool in formula["components"]] == [
        ("claudineos", "0.1.0"),
        ("mkosi", "27.1"),
        ("erofs-utils", "1.9-1"),
        ("mtools", "4.0.49-1"),
    ]
    (workflow,) = formula["workflows"]
    assert workflow["outputs"][0]["resource"]["ref"] == document["metadata"]["component"]["bom-ref"]


def test_every_reference_is_to_something_in_the_document(document: dict[str, Any]) -> None:
    known = {document["metadata"]["component"]["bom-ref"], *(one["bom-ref"] for one in document["components"])}
    (dependency,) = document["dependencies"]
    assert {dependency["ref"], *dependency["dependsOn"]} <= known
    assert len(known) == len(document["components"]) + 1, "no two have one reference"


def test_a_name_with_a_plus_sign_is_escaped_in_the_package_url() -> None:
    from builder.packages import Package
    from builder.sbom.components import package_url

    package = Package("libstdc++6", "16-1+b1", "amd64", FakePackage("x").deb_sha256, 1, "pool/main/x", "gcc-16", "16-1")
    assert package_url(package, "forky") == "pkg:deb/debian/libstdc%2B%2B6@16-1%2Bb1?arch=amd64&distro=forky"
