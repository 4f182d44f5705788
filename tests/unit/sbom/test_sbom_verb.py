"""`claudineos sbom`: the SBOM beside an image, and its licences."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from builder.cli.sbom import command
from builder.errors import BuilderError


@pytest.fixture
def image(tmp_path: Path, sbom: str) -> Path:
    (tmp_path / "claudineos_0.1.0.cdx.json").write_text(sbom)
    return tmp_path / "claudineos_0.1.0.raw"


def printed(*arguments: str | Path) -> str:
    done = CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_it_prints_the_sbom_beside_the_image(image: Path, sbom: str) -> None:
    assert printed(image) == sbom
    assert printed(image.with_name("claudineos_0.1.0.cdx.json")) == sbom


def test_licences_are_counted_and_their_texts_are_found(image: Path) -> None:
    lines = [line.split(maxsplit=2) for line in printed(image, "--licences").splitlines()]
    assert {licence: (count, place) for count, licence, place in lines} == {
        # Three files of overlays, and the model.
        "Apache-2.0": ("4", lines[0][2]),
        "GPL-2.0-only": ("1", "/usr/share/common-licenses/GPL-2 and 1 more"),
        "GPL-2.0-or-later": ("1", "/usr/share/common-licenses/GPL-2 and 1 more"),
        "MIT": ("1", "/usr/share/doc/python/copyright"),
    }


def test_a_licence_without_a_text_in_the_image_names_who_lacks_it(image: Path) -> None:
    assert "no text of /etc/hostname, /loader/loader.conf, /usr/lib/claudine/init" in printed(image, "--licences")


def test_a_package_that_left_nothing_in_the_image_counts_for_nothing(image: Path) -> None:
    assert "LicenseRef-Less" not in printed(image, "--licences")


def test_all_names_and_texts_are_in_the_json(image: Path) -> None:
    (mit,) = (one for one in json.loads(printed(image, "--licences", "--json")) if one["licence"] == "MIT")
    assert mit == {
        "licence": "MIT",
        "components": ["python"],
        "texts": ["/usr/share/doc/python/copyright"],
        "without_text": [],
    }


NOT_OURS = ["{", "[]", '{"bomFormat": "CycloneDX", "specVersion": "1.4", "components": []}', '{"components": [1]}']


@pytest.mark.parametrize("text", NOT_OURS)
def test_another_file_is_refused(image: Path, text: str) -> None:
    image.with_name("claudineos_0.1.0.cdx.json").write_text(text)
    with pytest.raises(BuilderError, match="not the SBOM of an image"):
        printed(image)


STRANGE = [
    '[{"licenses": [{"license": {"id": "MIT"}}]}]',
    '[{"licenses": 1}]',
    '[{"properties": {}, "licenses": [{}]}]',
]


@pytest.mark.parametrize("components", STRANGE)
def test_licences_that_no_build_wrote_are_refused(image: Path, components: str) -> None:
    text = f'{{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": {components}}}'
    image.with_name("claudineos_0.1.0.cdx.json").write_text(text)
    with pytest.raises(BuilderError, match="no build writes"):
        printed(image, "--licences")


def test_an_image_without_an_sbom_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BuilderError, match="there is no SBOM") as caught:
        printed(tmp_path / "claudineos_0.1.0.raw")
    assert "Build the image again" in caught.value.hint
