"""The catalogue: what an entry may say, what this repository ships, and what a builder reads about it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from builder.cli import cli
from builder.errors import BuilderError
from builder.model.ddi import model_description
from builder.model.memory import fit
from builder.profile import PROFILES_DIR, Model, list_models, load_model, model_schema

SHIPPED = PROFILES_DIR / "models"
SHA = "a" * 64
ENTRY = f"""\
schema: 1
name: tiny
version: "1"
title: Tiny
licence:
  id: Apache-2.0
  text: {{source: {{file: {{path: LICENCE}}}}, sha256: {SHA}, size_bytes: 11}}
languages: [en]
weights:
  source: {{file: {{path: tiny.gguf}}}}
  sha256: {SHA}
  size_bytes: 100000000
architecture: llama
parameters: 100000
quantisation: F32
context_tokens: 4096
chat_template_sha256: {SHA}
kv_bytes_per_token: 10000
compute_bytes: 1000000
"""
Change = Callable[[str], str]


def write(folder: Path, text: str, name: str = "tiny") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def test_what_this_repository_ships() -> None:
    entries = {entry.model.name: entry.model for entry in list_models([SHIPPED])}
    assert set(entries) == {"gemma3-270m", "smollm2-135m"}
    assert entries["smollm2-135m"].licence.id == "Apache-2.0"
    assert entries["gemma3-270m"].licence.notice, "the terms want one"
    assert entries["gemma3-270m"].weights.sha256.startswith("a5fd3b62")


def test_every_model_has_room_for_its_name_in_a_partition_table() -> None:
    for entry in list_models([SHIPPED]):
        assert entry.model.label == f"claudine-model_{entry.model.id}"
        assert len(entry.model.label) <= 36


def replaced(old: str, new: str) -> Change:
    return lambda text: text.replace(old, new)


# (what is changed in the entry, line:column, what is said, what is advised)
MISTAKES = [
    (replaced("schema: 1\n", ""), "", "schema, the version of the file format, is missing", "schema: 1"),
    (replaced("schema: 1", "schema: 2"), ":1:9", "this builder reads schema 1", ""),
    (replaced("name: tiny", "name: other"), ":2:7", "the model is named 'other', its file 'tiny.yaml'", "name: tiny"),
    (replaced("name: tiny", "name: Tiny"), ":2:7", "name cannot be 'Tiny'", "lower-case"),
    (replaced('version: "1"', "version: 1"), ":3:10", "version must be text", 'as in "1"'),
    (replaced('version: "1"', 'version: "1_2"'), ":3:10", "version cannot be '1_2'", "letters, digits and dots"),
    (replaced('version: "1"', 'version: "2026.11.01.rc1.again"'), ":2:7", "more than 36 characters", "Shorten"),
    (replaced("Apache-2.0", "Apache 2"), ":6:7", "licence.id cannot be 'Apache 2'", "SPDX"),
    (replaced("languages: [en]", "languages: []"), ":8:12", "languages is empty", "trained for"),
    (replaced("languages: [en]", "languages: [English]"), ":8:13", "languages[0] cannot be 'English'", "en"),
    (replaced("context_tokens: 4096", "context_tokens: 4k"), ":16:17", "must be a whole number, not '4k'", "8192"),
    (replaced("kv_bytes_per_token: 10000\n", ""), "", "kv_bytes_per_token is missing", "K and V"),
    (replaced("title: Tiny", "title: Tiny\nmemory: 1"), ":5:1", "unknown key 'memory'", "Keys"),
    # Where the weights are
    (replaced("{file: {path: tiny.gguf}}", "{}"), ":10:11", "weights.source names no source", "pypi, https, file"),
    (
        replaced("{file: {path: tiny.gguf}}", "{https: {url: 'https://h/x'}, file: {path: x}}"),
        ":10:47",
        "weights.source.file is a second source beside https",
        "Keep one",
    ),
    (replaced("{file: {path: tiny.gguf}}", "{https: {url: 'http://h/x'}}"), ":10:25", "starts with https://", ""),
    (
        replaced("{file: {path: tiny.gguf}}", "{https: {url: 'https://h/x', mirrors: ['ftp://h/x']}}"),
        ":10:50",
        "starts with https://",
        "",
    ),
    (
        replaced("{file: {path: tiny.gguf}}", "{pypi: []}"),
        ":10:18",
        "weights.source.pypi is empty",
        "members of wheels",
    ),
    (
        replaced("{file: {path: tiny.gguf}}", "{pypi: [{package: p, version: '1', member: ../x}]}"),
        ":10:54",
        "must be a path inside the wheel",
        "gguf",
    ),
    (replaced(f"  sha256: {SHA}\n", "  sha256: 0a1b\n"), ":11:11", "weights.sha256 cannot be '0a1b'", "64 digits"),
    (replaced(f"  sha256: {SHA}\n", f"  sha256: {SHA.upper()}\n"), ":11:11", "weights.sha256 cannot be", "lower case"),
    (replaced("size_bytes: 100000000", "size_bytes: 0"), ":12:15", "must be more than 0", "98362432"),
]


@pytest.mark.parametrize(("change", "place", "said", "advised"), MISTAKES)
def test_a_mistake_is_reported_where_it_stands(
    tmp_path: Path, change: Change, place: str, said: str, advised: str
) -> None:
    path = write(tmp_path, change(ENTRY))
    with pytest.raises(BuilderError) as error:
        load_model("tiny", [tmp_path])
    assert said in error.value.message
    assert advised in error.value.hint
    assert re.fullmatch(rf"{re.escape(str(path))}{place or '(:1:1)?'}", str(error.value.location))


def test_ones_own_model_comes_before_one_of_the_same_name(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    for folder, title in ((own, "Mine"), (other, "Theirs")):
        folder.mkdir()
        write(folder, ENTRY.replace("title: Tiny", f"title: {title}"))
    write(other, ENTRY.replace("name: tiny", "name: more"), "more")
    assert load_model("tiny", [own, other]).model.title == "Mine"
    assert [(one.model.name, one.model.title) for one in list_models([own, other])] == [
        ("more", "Tiny"),
        ("tiny", "Mine"),
    ]
    with pytest.raises(BuilderError, match="no model 'tyny' in the catalogue") as error:
        load_model("tyny", [own, other])
    assert "Did you mean tiny? Models: more, tiny" in error.value.hint
    assert load_model(str(own / "tiny.yaml"), []).beside("LICENCE") == own / "LICENCE"


# (memory in bytes, wanted tokens, spare bytes, tokens that fit)
FITS = [
    (141_960_000, 4096, 0, 4096),
    (200_000_000, None, 58_040_000, 4096),
    (200_000_000, 1000, 89_000_000, 1000),
    (200_000_000, 9999, 58_040_000, 4096),
    (141_959_999, 4096, -1, 4095),
    (106_120_000, 4096, -35_840_000, 512),
    (103_550_000, 4096, -38_410_000, 0),
    (50_000_000, 256, -53_560_000, 0),
]


@pytest.mark.parametrize(("memory_bytes", "wanted", "spare_bytes", "tokens"), FITS)
def test_a_model_fits_with_shorter_conversations_or_not_at_all(
    tmp_path: Path, memory_bytes: int, wanted: int | None, spare_bytes: int, tokens: int
) -> None:
    write(tmp_path, ENTRY)
    found = fit(load_model("tiny", [tmp_path]).model, memory_bytes, wanted)
    assert (found.spare_bytes, found.context_tokens, found.fits) == (spare_bytes, tokens, tokens > 0)


def test_the_description_in_the_image_is_what_the_runtime_reads(tmp_path: Path) -> None:
    write(tmp_path, ENTRY)
    assert model_description(load_model("tiny", [tmp_path]).model) == {
        "name": "tiny",
        "version": "1",
        "title": "Tiny",
        "licence": "Apache-2.0",
        "languages": ["en"],
        "architecture": "llama",
        "parameters": 100000,
        "quantisation": "F32",
        "context_tokens": 4096,
        "weights_bytes": 100000000,
        "sha256": SHA,
        "kv_bytes_per_token": 10000,
        "compute_bytes": 1000000,
    }


def test_the_schema_explains_every_key() -> None:
    schema = model_schema()
    assert set(schema["properties"]) == {field.alias or name for name, field in Model.model_fields.items()}
    assert "weights" in schema["required"]


def output(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["model", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_list_and_show_say_what_it_is_and_what_it_needs() -> None:
    assert re.search(r"(?m)^smollm2-135m +98 MB +Apache-2\.0 +SmolLM2 135M Instruct$", output("list"))
    assert {one["id"] for one in json.loads(output("list", "--json"))} == {"gemma3-270m_1", "smollm2-135m_1"}
    shown = output("show", "smollm2-135m")
    assert re.search(r"(?m)^memory at 2048 tokens +251 MB$", shown)
    assert re.search(r"(?m)^trained for +8192 tokens$", shown)
    assert json.loads(output("show", "smollm2-135m", "--json"))["memory_bytes"]["2048"] == 250_930_240


def test_check_says_which_models_fit_a_profile() -> None:
    assert re.search(r"(?m)^smollm2-135m +251 MB +fits; 823 MB to spare at 2048 tokens$", output("check", "qemu"))
    fits = {one["name"]: one for one in json.loads(output("check", "qemu", "--json"))}
    assert fits["smollm2-135m"]["fits"]
    assert fits["smollm2-135m"]["context_tokens"] == 2048
