"""GGUF files of a few hundred bytes, put together by hand, so that a test can break any part of one.

A `GgufFile` is whole and right as it is; `replace(GgufFile(), …)` breaks one thing.
"""

import struct
from dataclasses import dataclass

TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"

F32, Q4_0 = 0, 2
UINT8, UINT32, BOOL, STRING, ARRAY, UINT64 = 0, 4, 7, 8, 9, 10

Typed = tuple[int, bytes]


def _string(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def _aligned(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment


def u32(number: int) -> Typed:
    return UINT32, struct.pack("<I", number)


def u64(number: int) -> Typed:
    return UINT64, struct.pack("<Q", number)


def text(value: str | bytes) -> Typed:
    return STRING, _string(value)


def texts(*values: str | bytes) -> Typed:
    return ARRAY, struct.pack("<IQ", STRING, len(values)) + b"".join(map(_string, values))


def numbers(*values: int) -> Typed:
    return ARRAY, struct.pack(f"<IQ{len(values)}I", UINT32, len(values), *values)


def metadata(**changes: Typed | None) -> dict[str, Typed]:
    """The metadata of a small model; a name's double underscore stands for a dot, None takes a key away."""
    changed = {name.replace("__", "."): value for name, value in changes.items()}
    merged = {**METADATA, **changed}
    return {key: value for key, value in merged.items() if value is not None}


METADATA: dict[str, Typed] = {
    "general.architecture": text("llama"),
    "general.name": text("Tiny Chat"),
    "general.license": text("apache-2.0"),
    "general.languages": texts("en", "de"),
    "general.file_type": u32(2),
    "llama.context_length": u32(4096),
    "llama.embedding_length": u32(64),
    "llama.block_count": u32(2),
    "llama.feed_forward_length": u32(128),
    "llama.attention.head_count": u32(4),
    "llama.attention.head_count_kv": u32(2),
    "tokenizer.ggml.tokens": texts("<s>", b"\xf0\x9f", "a"),
    "tokenizer.chat_template": text(TEMPLATE),
}


@dataclass(frozen=True)
class TensorEntry:
    """A tensor as the header has it; without an offset, it lies behind the one before it."""

    name: str | bytes = "token_embd.weight"
    shape: tuple[int, ...] = (64, 3)
    type: int = Q4_0
    offset: int | None = None
    size_bytes: int = 108


@dataclass(frozen=True)
class GgufFile:
    """The parts of a file. `keys` is a list, so that a key can occur twice; counts are what the header claims."""

    magic: bytes = b"GGUF"
    version: int = 3
    keys: tuple[tuple[str | bytes, Typed], ...] = tuple(METADATA.items())
    tensors: tuple[TensorEntry, ...] = (TensorEntry(), TensorEntry("output_norm.weight", (64,), F32, None, 256))
    claimed_keys: int | None = None
    claimed_tensors: int | None = None
    alignment: int = 32
    data: bytes | None = None
    after: bytes = b""

    def to_bytes(self) -> bytes:
        """Put the file together."""
        n_keys = len(self.keys) if self.claimed_keys is None else self.claimed_keys
        n_tensors = len(self.tensors) if self.claimed_tensors is None else self.claimed_tensors
        header = self.magic + struct.pack("<IQQ", self.version, n_tensors, n_keys)
        for key, (type_, value) in self.keys:
            header += _string(key) + struct.pack("<I", type_) + value
        offset = 0
        for tensor in self.tensors:
            at = offset if tensor.offset is None else tensor.offset
            shape = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
            header += _string(tensor.name) + shape + struct.pack("<IQ", tensor.type, at)
            offset = _aligned(offset + tensor.size_bytes, self.alignment)
        header = header.ljust(_aligned(len(header), self.alignment), b"\0")
        return header + (bytes(offset) if self.data is None else self.data) + self.after


def with_metadata(**changes: Typed | None) -> GgufFile:
    """A file whose metadata differs; see `metadata`."""
    return GgufFile(keys=tuple(metadata(**changes).items()))
