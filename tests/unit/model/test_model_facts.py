"""What a file says about its model, and what makes it useless here."""

from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.model.facts import read_facts
from tests.support.gguf_file import TEMPLATE, GgufFile, numbers, text, texts, u32, u64, with_metadata


def write(tmp_path: Path, content: GgufFile) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(content.to_bytes())
    return path


def test_the_facts_of_a_model(tmp_path: Path) -> None:
    facts = read_facts(write(tmp_path, GgufFile()))
    assert (facts.title, facts.licence, facts.languages) == ("Tiny Chat", "apache-2.0", ("en", "de"))
    assert (facts.architecture, facts.quantisation) == ("llama", "Q4_0")
    assert facts.parameters == 64 * 3 + 64
    assert facts.context_tokens == 4096
    assert facts.chat_template == TEMPLATE
    assert facts.kv_bytes_per_token == 2 * (16 + 16) * 2 * 2, "two layers of two heads, 16 wide, K and V in 16 bits"
    assert facts.compute_bytes == (64 << 20) + 16 * 512 * (64 + 128) + 1024 * 4096 + 256 * 3


# (what differs, the bytes that a token takes)
KV_SIZES = [
    ({"llama.attention.head_count_kv": None}, 2 * 32 * 4 * 2),
    ({"llama.attention.key_length": u32(256), "llama.attention.value_length": u32(128)}, 2 * 384 * 2 * 2),
    ({"llama.attention.head_count_kv": numbers(0, 2)}, 2 * 32 * 2),
    ({"llama.attention.head_count_kv": u32(0)}, 0),
]


@pytest.mark.parametrize(("changes", "size_bytes"), KV_SIZES)
def test_what_a_token_takes(tmp_path: Path, changes: dict[str, object], size_bytes: int) -> None:
    spelt = {key.replace(".", "__"): value for key, value in changes.items()}
    file = with_metadata(**spelt)  # type: ignore[arg-type]
    assert read_facts(write(tmp_path, file)).kv_bytes_per_token == size_bytes


def test_a_title_is_one_line_that_a_terminal_may_be_shown(tmp_path: Path) -> None:
    file = with_metadata(general__name=text("\x1b[31mEvil\n  Model\u202e" + "x" * 200))
    title = read_facts(write(tmp_path, file)).title
    assert title.startswith("[31mEvil Model xxx")
    assert len(title) == 80


def test_a_mixture_without_a_name_is_called_by_its_most_common_type(tmp_path: Path) -> None:
    assert read_facts(write(tmp_path, with_metadata(general__file_type=None))).quantisation == "TYPE_0"


REFUSED = [
    ({"general__architecture": text("bert")}, "its architecture is 'bert'"),
    ({"general__architecture": None}, "its architecture is ''"),
    ({"general__architecture": u32(1)}, "general.architecture is not a text but 1"),
    ({"general__type": text("adapter")}, "it is not a model but of the kind 'adapter'"),
    ({"split__count": u32(4)}, "it is one of 4 parts of a model"),
    ({"llama__context_length": None}, "it does not say llama.context_length"),
    ({"llama__context_length": text("4096")}, "llama.context_length is '4096'"),
    ({"llama__context_length": u64(1 << 60)}, "expected is a whole number from 0 to"),
    ({"llama__context_length": numbers(1, 2)}, "llama.context_length has 2 values; one is expected"),
    ({"llama__attention__head_count": numbers(1, 2, 3)}, "has 3 values for 2 layers"),
    ({"llama__block_count": u32(0)}, "it has no layers"),
    ({"llama__attention__head_count": numbers()}, "llama.attention.head_count is Array"),
    ({"llama__block_count": u32(1 << 31)}, "llama.block_count is 2147483648"),
    ({"tokenizer__ggml__tokens": None}, "it has no tokenizer.ggml.tokens"),
    ({"tokenizer__ggml__tokens": texts()}, "it has no tokenizer.ggml.tokens"),
    ({"tokenizer__chat_template": text("{{ 1 }}")}, "its chat template does not use messages"),
    ({"tokenizer.chat_template.tool_use": text("{% include 'x' %}")}, "its chat template wants another file"),
    ({"tokenizer__chat_template": u32(7)}, "tokenizer.chat_template is not a text but 7"),
]


@pytest.mark.parametrize(("changes", "reason"), REFUSED)
def test_what_cannot_be_talked_with_is_refused(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(BuilderError) as refused:
        read_facts(write(tmp_path, with_metadata(**changes)))  # type: ignore[arg-type]
    assert reason in refused.value.message
