"""A profile builds on another: what it adds, what it replaces, and where each value is from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.profile import load_profile

Write = Callable[[str, str], Path]


def test_a_value_replaces_the_parents_and_its_section_keeps_the_rest(profiles: Path, write: Write) -> None:
    write("mine", "extends: base\nstorage: {esp_size_mib: 512}\n")
    profile = load_profile("mine", profiles).profile
    assert profile.storage.esp_size_mib == 512
    assert profile.storage.unlock == "tpm2"
    assert (profile.name, profile.description, profile.extends) == ("mine", "Written by a test", "base")


def test_a_list_adds_to_the_parents_and_cannot_take_away(profiles: Path, write: Write) -> None:
    write("mine", "extends: base\nboot: {console: [ttyS0], kernel_arguments: []}\noverlays: [demo]\n")
    profile = load_profile("mine", profiles).profile
    assert profile.boot.console == ("tty0", "ttyS0")
    assert profile.boot.kernel_arguments == ("quiet",)
    assert profile.overlays == ("base", "client", "demo")


def test_an_entry_that_the_parent_has_is_refused_and_its_origin_named(profiles: Path, write: Write) -> None:
    mine = write("mine", "extends: base\nboot:\n  console: [ttyS0, tty0]\n")
    with pytest.raises(BuilderError, match=r"boot\.console has tty0 already, from base\.yaml:9") as error:
        load_profile("mine", profiles)
    assert str(error.value.location) == f"{mine}:6:20"
    assert "Take this entry away" in error.value.hint


def test_a_kernel_argument_of_the_parent_cannot_be_set_to_something_else(profiles: Path, write: Write) -> None:
    write("middle", "extends: base\nboot: {kernel_arguments: [mitigations=auto]}\n")
    mine = write("mine", "extends: middle\nboot: {kernel_arguments: [mitigations=off]}\n")
    with pytest.raises(BuilderError, match="sets mitigations a second time, after mitigations=auto") as error:
        load_profile("mine", profiles)
    assert str(error.value.location) == f"{mine}:5:27"


def test_null_replaces_a_value_where_null_means_something(profiles: Path, write: Write) -> None:
    write("middle", "extends: base\ndistribution: {mirror: 'http://mirror.example.org/debian'}\n")
    write("mine", "extends: middle\ndistribution: {mirror: null}\n")
    assert load_profile("middle", profiles).profile.distribution.mirror == "http://mirror.example.org/debian"
    assert load_profile("mine", profiles).profile.distribution.mirror is None


def test_every_value_knows_the_line_it_was_written_in(profiles: Path, write: Write) -> None:
    base, middle = profiles / "base.yaml", write("middle", "extends: base\noverlays:\n  - demo\n")
    mine = write("mine", "extends: middle\nstorage:\n  esp_size_mib: 512\noverlays: [show]\n")
    resolved = load_profile("mine", profiles)
    expected = {
        ("schema",): f"{mine}:1:9",
        ("name",): f"{mine}:2:7",
        ("image", "version"): f"{base}:4:34",
        ("storage", "esp_size_mib"): f"{mine}:6:17",
        ("storage", "unlock"): f"{base}:12:38",
        ("overlays", 0): f"{base}:18:12",
        ("overlays", 1): f"{base}:18:18",
        ("overlays", 2): f"{middle}:6:5",
        ("overlays", 3): f"{mine}:7:12",
        ("packages",): f"{base}:19:11",
    }
    assert {key_path: str(resolved.origins[key_path]) for key_path in expected} == expected
    assert resolved.files == (mine, middle, base)


def test_a_model_is_beside_the_file_that_names_it_before_it_is_in_the_profiles_folder(
    profiles: Path, tmp_path: Path
) -> None:
    shipped = profiles / "models/tiny.yaml"
    own = tmp_path / "own"
    (own / "models").mkdir(parents=True)
    mine = own / "mine.yaml"
    mine.write_text("schema: 1\nname: mine\ndescription: x\nextends: base\nmodel: {name: tiny}\n")
    assert load_profile(str(mine), profiles).model.path == shipped
    (own / "models/tiny.yaml").write_text(shipped.read_text().replace("title: Tiny", "title: Mine"))
    assert load_profile(str(mine), profiles).model.model.title == "Mine"
    mine.write_text("schema: 1\nname: mine\ndescription: x\nextends: base\n")
    assert load_profile(str(mine), profiles).model.path == shipped, "base names it, and base is elsewhere"


def test_a_paths_parents_are_beside_it_before_they_are_in_the_profiles_folder(profiles: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.yaml").write_text("schema: 1\nname: mine\ndescription: x\nextends: middle\n")
    (own / "middle.yaml").write_text("schema: 1\nname: middle\ndescription: x\nextends: base\n")
    files = load_profile(str(own / "mine.yaml"), profiles).files
    assert files == (own / "mine.yaml", own / "middle.yaml", profiles / "base.yaml")


def test_a_circle_is_shown(profiles: Path, write: Write) -> None:
    write("a", "extends: b\n")
    write("b", "extends: c\n")
    last = write("c", "extends: b\n")
    with pytest.raises(BuilderError, match="a → b → c → b") as error:
        load_profile("a", profiles)
    assert str(error.value.location) == f"{last}:4:10"
