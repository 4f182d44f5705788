"""What a file of weights says about its model: read, checked, and put into our terms.

    facts = read_facts(path)
    facts.architecture, facts.parameters, facts.kv_bytes_per_token

`general.*` says what the model is called, `<architecture>.*` how it is built, `tokenizer.*` how it is talked to
(https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from builder.errors import Location
from builder.model.architectures import ARCHITECTURES
from builder.model.chat_template import check_chat_template
from builder.model.ggml import QUANTISATIONS
from builder.model.gguf import Array, GgufError, Header, Value, read_header

MAX_CONTEXT_TOKENS = 1 << 24
MAX_LAYERS = 1024
MAX_WIDTH = 1 << 24

TEMPLATE = "tokenizer.chat_template"

# What llama.cpp was seen to need beside weights and conversation (build b11669, on the CPU): a batch of 512 tokens goes
# through the layers at once, each step at most four times as wide as the model and its inner layer together; each
# token of the conversation takes a mask for the batch; then the tokens' texts, and the program itself.
_BATCH_TOKENS = 512
_BATCH_BYTES_PER_WIDTH = 16 * _BATCH_TOKENS
_MASK_BYTES_PER_TOKEN = 2 * _BATCH_TOKENS
_MASKED_TOKENS = 32768
_VOCABULARY_BYTES_PER_TOKEN = 256
_PROGRAM_BYTES = 64 << 20


@dataclass(frozen=True)
class ModelFacts:
    """What the file says. Sizes are in bytes; `title`, `licence` and `chat_template` are empty if it does not say.

    `kv_bytes_per_token` is K and V of all layers in 16 bits each: an upper bound for models that look at a part of the
    conversation only. `compute_bytes` is an estimate.
    """

    architecture: str
    title: str
    licence: str
    languages: tuple[str, ...]
    parameters: int
    quantisation: str
    context_tokens: int
    chat_template: str
    kv_bytes_per_token: int
    compute_bytes: int
    size_bytes: int


def read_facts(path: Path) -> ModelFacts:
    """Read a GGUF file's header; raises GgufError, or BuilderError for a chat template that is something else."""
    header = read_header(path)
    file = _Metadata(header.metadata, path)
    architecture = _architecture(file)
    _check_kind(file)
    for key in header.metadata:
        if key == TEMPLATE or key.startswith(f"{TEMPLATE}."):
            check_chat_template(file.text(key), Location(path))
    return ModelFacts(
        architecture=architecture,
        title=_line(file.text("general.name")),
        licence=_line(file.text("general.license")),
        languages=file.texts("general.languages"),
        parameters=sum(prod(tensor.shape) for tensor in header.tensors),
        quantisation=_quantisation(file, header),
        context_tokens=file.number(f"{architecture}.context_length", MAX_CONTEXT_TOKENS),
        chat_template=file.text(TEMPLATE),
        kv_bytes_per_token=_kv_bytes_per_token(file, architecture),
        compute_bytes=_compute_bytes(file, architecture),
        size_bytes=header.size_bytes,
    )


class _Metadata:
    """The metadata by kind of value; a value of another kind is refused by name."""

    def __init__(self, values: Mapping[str, Value], path: Path) -> None:
        self._values = values
        self.path = path

    def refuse(self, message: str, hint: str = "") -> GgufError:
        return GgufError(message, hint=hint, location=Location(self.path))

    def text(self, key: str) -> str:
        value = self._values.get(key, "")
        if not isinstance(value, str):
            raise self.refuse(f"{key} is not a text but {value!r}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key)
        return tuple(map(str, value.entries)) if isinstance(value, Array) else ()

    def number(self, key: str, largest: int, default: int | None = None) -> int:
        numbers = self.numbers(key, largest, default)
        if len(numbers) != 1:
            raise self.refuse(f"{key} has {len(numbers)} values; one is expected")
        return numbers[0]

    def numbers(self, key: str, largest: int, default: int | None = None) -> tuple[int, ...]:
        """Return one number, or one for each layer."""
        value = self._values.get(key, default)
        if value is None:
            raise self.refuse(f"it does not say {key}")
        entries = value.entries if isinstance(value, Array) else (value,)
        numbers = tuple(entry for entry in entries if type(entry) is int and 0 <= entry <= largest)
        if not numbers or len(numbers) != len(entries):
            raise self.refuse(f"{key} is {value!r}; expected is a whole number from 0 to {largest}")
        return numbers

    def length(self, key: str) -> int:
        value = self._values.get(key)
        if not isinstance(value, Array) or not value.count:
            raise self.refuse(f"it has no {key}")
        return value.count


def _architecture(file: _Metadata) -> str:
    architecture = file.text("general.architecture")
    if architecture not in ARCHITECTURES:
        raise file.refuse(
            f"its architecture is {architecture!r}, which the packaged llama.cpp cannot talk with",
            hint="Take a language model that llama.cpp supports, such as those of the architectures llama or qwen3",
        )
    return architecture


def _check_kind(file: _Metadata) -> None:
    if (kind := file.text("general.type")) not in ("", "model"):
        raise file.refuse(f"it is not a model but of the kind {kind!r}", hint="Take the file of the model itself")
    if (parts := file.number("split.count", 65536, default=0)) > 1:
        raise file.refuse(
            f"it is one of {parts} parts of a model", hint="Join them first: llama-gguf-split --merge FIRST WHOLE"
        )


def _quantisation(file: _Metadata, header: Header) -> str:
    number = file.number("general.file_type", 65535, default=65535)
    if number in QUANTISATIONS:
        return QUANTISATIONS[number]
    # Without a name for the mixture, that of the type which most of the file is stored in.
    sizes: Counter[int] = Counter()
    for tensor in header.tensors:
        sizes[tensor.type] += tensor.size_bytes
    return f"TYPE_{sizes.most_common(1)[0][0]}"


def _kv_bytes_per_token(file: _Metadata, architecture: str) -> int:
    layers = file.number(f"{architecture}.block_count", MAX_LAYERS)
    if layers == 0:
        raise file.refuse("it has no layers")
    attention = f"{architecture}.attention"
    heads = _per_layer(file, f"{attention}.head_count", layers)
    kv_heads = _per_layer(file, f"{attention}.head_count_kv", layers, default=max(heads))
    width = file.number(f"{architecture}.embedding_length", MAX_WIDTH) // max(1, *heads)
    key = file.number(f"{attention}.key_length", MAX_WIDTH, default=width)
    value = file.number(f"{attention}.value_length", MAX_WIDTH, default=width)
    return 2 * (key + value) * sum(kv_heads)


def _per_layer(file: _Metadata, key: str, layers: int, default: int = 0) -> tuple[int, ...]:
    numbers = file.numbers(key, MAX_WIDTH, default)
    if len(numbers) == 1:
        return numbers * layers
    if len(numbers) != layers:
        raise file.refuse(f"{key} has {len(numbers)} values for {layers} layers")
    return numbers


def _compute_bytes(file: _Metadata, architecture: str) -> int:
    width = file.number(f"{architecture}.embedding_length", MAX_WIDTH)
    inner = max(file.numbers(f"{architecture}.feed_forward_length", MAX_WIDTH, default=4 * width))
    context_tokens = file.number(f"{architecture}.context_length", MAX_CONTEXT_TOKENS)
    return (
        _PROGRAM_BYTES
        + _BATCH_BYTES_PER_WIDTH * (width + inner)
        + _MASK_BYTES_PER_TOKEN * min(context_tokens, _MASKED_TOKENS)
        + _VOCABULARY_BYTES_PER_TOKEN * file.length("tokenizer.ggml.tokens")
    )


def _line(text: str) -> str:
    """Make a text of unknown origin one line of what a terminal may be shown."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:80]
