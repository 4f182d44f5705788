"""`claudineos profile`: what a person or a script reads."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from builder.cli import cli
from builder.errors import BuilderError
from builder.profile import load_profile, to_data, to_yaml

Write = Callable[[str, str], Path]


def _output(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["profile", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_list_aligns_names_and_descriptions() -> None:
    lines = _output("list").splitlines()
    assert any(line.startswith("qemu") for line in lines)
    assert len({len(line) - len(line.partition("  ")[2].lstrip()) for line in lines}) == 1


def test_list_as_json_has_the_path() -> None:
    entries = {entry["name"]: entry for entry in json.loads(_output("list", "--json"))}
    assert Path(entries["qemu"]["path"]).name == "qemu.yaml"
    assert entries["qemu"]["description"]


def test_check_says_ok_for_each() -> None:
    assert _output("check", "base", "qemu") == "base: ok\nqemu: ok\n"


def test_check_raises_what_is_wrong(profiles: Path, write: Write) -> None:
    path = write("mine", "extends: base\ntypo: 1\n")
    with pytest.raises(BuilderError, match="unknown key 'typo'"):
        _output("check", str(path))


def test_show_prints_what_loads_as_the_same_profile_again(profiles: Path, write: Write) -> None:
    write("mine", "extends: base\nboot: {console: [ttyS0]}\ndistribution: {mirror: 'http://[::1]:80/debian'}\n")
    shown = load_profile("mine", profiles)
    (profiles / "mine.yaml").write_text(to_yaml(shown, origins=True))
    again = load_profile("mine", profiles)
    assert again.profile == shown.profile.model_copy(update={"extends": None})
    assert len(again.files) == 1


@pytest.mark.parametrize(
    "text", ["no", "1:30", "a: b", "# x", "it's", "12", "null", "2026-11-01", "ü → ✓", "- a", "x" * 200]
)
def test_show_quotes_what_yaml_would_take_for_something_else(profiles: Path, text: str) -> None:
    base = profiles / "base.yaml"
    base.write_text(base.read_text().replace("Complete, and small", json.dumps(text)))
    shown = to_yaml(load_profile("base", profiles))
    assert yaml.safe_load(shown)["description"] == text


def test_show_says_where_values_are_from() -> None:
    shown = _output("show", "qemu", "--origins")
    lines = {line.split("#")[0].strip(): line.rpartition("# ")[2] for line in shown.splitlines()}
    assert lines["release: forky"].startswith("base.yaml:")
    assert lines["name: qemu"] == "qemu.yaml:4"


def test_show_as_json_is_the_same_profile() -> None:
    assert json.loads(_output("show", "qemu", "--json")) == to_data(load_profile("qemu"))


def test_show_as_json_with_origins_has_a_place_for_each_value() -> None:
    answer = json.loads(_output("show", "qemu", "--json", "--origins"))
    assert answer["profile"]["name"] == "qemu"
    assert answer["origins"]["boot.console[1]"].endswith("qemu.yaml:10:13")


def test_schema_is_json_schema() -> None:
    assert json.loads(_output("schema"))["$schema"].startswith("https://json-schema.org/")
