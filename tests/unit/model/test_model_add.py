"""`claudineos model add`: from a file or an address that a person names to an entry of the catalogue, or to nothing."""

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from builder.cli import cli
from builder.errors import BuilderError, ToolError
from builder.fetch import cache_directory
from builder.model.add import Wishes, describe, origin_of, short_name
from builder.model.weights import obtain, obtain_weights
from builder.profile import load_model
from tests.support.gguf_file import F32, GgufFile, TensorEntry, text, with_metadata
from tests.support.web_server import WebServer

WEIGHTS = GgufFile().to_bytes()
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(WEIGHTS)
    return path


def add(tmp_path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        cli, ["model", "add", *arguments, "--to", str(tmp_path / "models")], catch_exceptions=False
    )


def test_a_file_becomes_an_entry(tmp_path: Path, weights: Path) -> None:
    done = add(tmp_path, str(weights))
    assert done.stdout == f"{tmp_path}/models/tiny-chat.yaml\n"
    for told in ("Tiny Chat: llama, 0 million parameters", "licence Apache-2.0", SHA256, "{% for message in messages"):
        assert told in done.stderr
    entry = load_model("tiny-chat", [tmp_path / "models"])
    model = entry.model
    assert (model.id, model.title, model.licence.id, model.languages) == (
        "tiny-chat_1",
        "Tiny Chat",
        "Apache-2.0",
        ("en", "de"),
    )
    assert (model.architecture, model.quantisation, model.context_tokens) == ("llama", "Q4_0", 4096)
    assert obtain_weights(entry) == weights
    assert "Apache License" in obtain(model.licence.text, entry).read_text()


def test_what_a_person_says_counts(tmp_path: Path, weights: Path) -> None:
    licence = tmp_path / "LICENCE"
    licence.write_text("Do what you like.\n")
    add(
        tmp_path,
        str(weights),
        *("--name", "mine", "--version", "2", "--title", "My own", "--licence", "LicenseRef-Mine"),
        *("--licence-text", str(licence), "--language", "fr", "--sha256", SHA256),
    )
    entry = load_model("mine", [tmp_path / "models"])
    assert (entry.model.id, entry.model.title, entry.model.languages) == ("mine_2", "My own", ("fr",))
    assert obtain(entry.model.licence.text, entry).read_text() == "Do what you like.\n"


def test_an_address_is_fetched_and_what_came_is_recorded(tmp_path: Path, web: WebServer) -> None:
    web.files["/tiny.gguf"] = WEIGHTS
    add(tmp_path, f"{web.url}/tiny.gguf")
    entry = load_model("tiny-chat", [tmp_path / "models"])
    assert entry.model.weights.sha256 == SHA256
    asked = len(web.requests)
    assert obtain_weights(entry).read_bytes() == WEIGHTS
    assert len(web.requests) == asked, "it is in the cache already"


def test_a_broken_download_leaves_no_entry_and_is_continued(tmp_path: Path, web: WebServer) -> None:
    tensors = (TensorEntry("token_embd.weight", (1 << 19,), F32, None, 1 << 21),)
    web.files["/tiny.gguf"] = GgufFile(tensors=tensors).to_bytes()
    web.cut_after_bytes = 1_500_000
    with pytest.raises(ToolError, match=r"tiny\.gguf could not be fetched"):
        add(tmp_path, f"{web.url}/tiny.gguf")
    assert not (tmp_path / "models").exists()
    web.cut_after_bytes = None
    assert add(tmp_path, f"{web.url}/tiny.gguf").exit_code == 0
    assert web.requests[-1][1].startswith("bytes=")


def test_an_entry_with_mirrors_is_fetched_from_the_one_that_has_it(tmp_path: Path, web: WebServer) -> None:
    web.files |= {"/tiny.gguf": WEIGHTS, "/changed.gguf": WEIGHTS[:-1] + b"!"}
    path = Path(add(tmp_path, f"{web.url}/tiny.gguf").stdout.strip())
    listed = f"url: {web.url}/gone.gguf\n      mirrors: ['{web.url}/changed.gguf', '{web.url}/tiny.gguf']"
    path.write_text(path.read_text().replace(f"url: {web.url}/tiny.gguf", listed))
    (cache_directory() / "files" / SHA256).unlink()
    entry = load_model(str(path), [])
    assert obtain_weights(entry).read_bytes() == WEIGHTS
    (cache_directory() / "files" / SHA256).unlink()
    del web.files["/tiny.gguf"]
    with pytest.raises(ToolError, match="404"):
        obtain_weights(entry)


REFUSED = [
    (["missing.gguf"], "is not a file"),
    (["http://127.0.0.1/x.gguf"], "anybody on the way could change it"),
    (["FILE", "--sha256", "0" * 64], f"it has the SHA-256 {SHA256}, expected 0000"),
    (["FILE", "--licence", "MIT"], "the text of MIT is not on this machine"),
    (["FILE", "--licence-text", "missing"], "missing is not a file"),
    (["FILE", "--name", "Not A Name"], "name cannot be 'Not A Name'"),
    (["FILE", "--name", "a-very-long-name-for-a-model"], "more than 36 characters"),
    (["FILE", "--language", "English"], "languages[0] cannot be 'English'"),
]


@pytest.mark.parametrize(("arguments", "reason"), REFUSED)
def test_what_is_wrong_leaves_nothing_behind(tmp_path: Path, weights: Path, arguments: list[str], reason: str) -> None:
    with pytest.raises(BuilderError) as refused:
        add(tmp_path, *(str(weights) if argument == "FILE" else argument for argument in arguments))
    assert reason in refused.value.message
    assert not list((tmp_path / "models").glob("**/*"))


def test_an_entry_is_never_written_over(tmp_path: Path, weights: Path) -> None:
    add(tmp_path, str(weights))
    with pytest.raises(BuilderError, match="there is such a model already") as refused:
        add(tmp_path, str(weights))
    assert "--name" in refused.value.hint


# (what the file says, why it is refused, what to do)
SILENT = [
    ({"general__license": None}, "it does not say which licence it has", "--licence Apache-2.0"),
    ({"general__license": text("other")}, "it says 'other'", "--licence Apache-2.0"),
    ({"general__license": text("gemma")}, "the text of LicenseRef-Gemma is not on this machine", "--licence-text"),
    ({"tokenizer__chat_template": None}, "it has no chat template", "Instruct"),
]


@pytest.mark.parametrize(("changes", "reason", "advice"), SILENT)
def test_what_a_file_does_not_say_a_person_has_to(
    tmp_path: Path, changes: dict[str, object], reason: str, advice: str
) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(with_metadata(**changes).to_bytes())  # type: ignore[arg-type]
    with pytest.raises(BuilderError) as refused:
        describe(origin_of(str(path)), Wishes())
    assert reason in refused.value.message
    assert advice in refused.value.hint


# (what in the entry is changed, what a build says to it)
DISAGREEMENTS = [
    ("architecture: llama", "architecture: qwen2", "architecture is qwen2 here, and llama in the weights"),
    ("parameters: 256", "parameters: 1", "parameters is 1 here, and 256 in the weights"),
    ("context_tokens: 4096", "context_tokens: 8192", "context_tokens is 8192 here, and 4096 in the weights"),
    ("kv_bytes_per_token: 256", "kv_bytes_per_token: 1", "kv_bytes_per_token is 1 here"),
    ("quantisation: Q4_0", "quantisation: Q8_0", "quantisation is Q8_0 here"),
    ("chat_template_sha256: ", f"chat_template_sha256: {'0' * 64} #", "chat_template_sha256 is 0000"),
    ("chat_template_sha256: ", "chat_template: x\nchat_template_sha256: ", "have a chat template of their own"),
]


@pytest.mark.parametrize(("old", "new", "said"), DISAGREEMENTS)
def test_an_entry_that_says_something_else_than_the_weights_is_refused(
    tmp_path: Path, weights: Path, old: str, new: str, said: str
) -> None:
    path = Path(add(tmp_path, str(weights)).stdout.strip())
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BuilderError) as refused:
        obtain_weights(load_model(str(path), []))
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Qwen3 0.6B Instruct", "qwen3-0.6b-instruct"),
        ("A Model With A Very Long Name Indeed", "a-model-with-a-very"),
        ("模型", "model"),
        ("../../etc", "etc"),
    ],
)
def test_a_title_becomes_a_name_that_fits(title: str, name: str) -> None:
    assert short_name(title) == name
