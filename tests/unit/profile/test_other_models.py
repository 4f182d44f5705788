"""Other files that people write are checked in the same way: here one like an overlay's."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, field_validator

from builder.errors import BuilderError
from builder.profile import StrictModel, load_document, refuse, validate


class Service(StrictModel):
    """A unit to enable."""

    unit: str = Field(description="Name of the unit.", examples=["x.service"])
    why: str = Field(min_length=1, description="Reason in one sentence.")

    @field_validator("unit")
    @classmethod
    def _has_a_suffix(cls, unit: str) -> str:
        if "." not in unit:
            raise refuse("needs a suffix")
        return unit


class Overlay(StrictModel):
    """What an overlay says about itself."""

    packages: dict[str, str] = Field(default_factory=dict)
    services: Annotated[tuple[Service, ...], Field(strict=False)] = ()
    replaces: bool = False

    @field_validator("packages")
    @classmethod
    def _at_most_two(cls, packages: dict[str, str]) -> dict[str, str]:
        if len(packages) > 2:
            raise ValueError("three are too many")
        return packages


MISTAKES = [
    ("services:\n  - unit: a.service\n    wy: x\n", "3:5", "unknown key 'wy' in services[0]", "Did you mean why?"),
    ("services:\n  - unit: a.service\n", "2:5", "services[0].why is missing", "Reason in one sentence."),
    ("services:\n  - unit: a\n    why: x\n", "2:11", "services[0].unit needs a suffix", "For example: x.service"),
    ("services:\n  - {unit: a.b, why: ''}\n", "2:22", "services[0].why cannot be ''", "Reason in one sentence."),
    ("services: [x]\n", "1:12", "services[0] must be a mapping (key: value lines), not 'x'", "A unit to enable."),
    ("packages: {a: 1}\n", "1:15", "packages.a must be text, not the number 1", "Put it in quotes"),
    ("packages: [a]\n", "1:11", "packages must be a mapping (key: value lines), not a list", ""),
    ("packages: {a: x, b: y, c: z}\n", "1:11", "packages: three are too many", ""),
    ("replaces: yes\n", "1:11", "replaces must be true or false, not 'yes'", ""),
]


@pytest.mark.parametrize(("text", "place", "said", "advised"), MISTAKES)
def test_mistakes_are_told_as_in_profiles(tmp_path: Path, text: str, place: str, said: str, advised: str) -> None:
    path = tmp_path / "overlay.yaml"
    path.write_text(text)
    with pytest.raises(BuilderError) as error:
        validate(load_document(path), Overlay)
    assert str(error.value.location) == f"{path}:{place}"
    assert error.value.message == said
    assert advised in error.value.hint


def test_a_right_file_becomes_the_model(tmp_path: Path) -> None:
    path = tmp_path / "overlay.yaml"
    path.write_text("packages: {systemd: init}\nservices: [{unit: a.service, why: it is needed}]\nreplaces: true\n")
    overlay = validate(load_document(path), Overlay)
    assert overlay.packages == {"systemd": "init"}
    assert overlay.services == (Service(unit="a.service", why="it is needed"),)
    assert overlay.replaces
