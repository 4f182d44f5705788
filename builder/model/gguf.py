"""A small reader of the header of a GGUF file (versions 2 and 3), for files that anybody may have made.

    header = read_header(path)
    header.metadata["general.architecture"]
    header.tensors[0].shape

The file says how long everything in it is. So each length is held against a limit and against what the file still
has before anything is read or reserved; what is refused is a GgufError with one reason. Only the header is read, never
the weights. The rules are those of llama.cpp's own reader (gguf.cpp): tensors lie one after the other, each on its
alignment, without gaps, and end with the file.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, TypeAlias

from builder.errors import BuilderError, Location
from builder.model.ggml import TENSOR_TYPES

MAGIC = b"GGUF"
VERSIONS = (2, 3)

# Far above what models have: the largest have some hundred keys, three thousand tensors, half a million tokens with as
# many merges, and templates of 20 kB.
MAX_KEYS = 4096
MAX_TENSORS = 65536
MAX_KEY_BYTES = 256
MAX_STRING_BYTES = 1 << 20
MAX_ARRAY_ENTRIES = 1 << 21
MAX_HEADER_BYTES = 1 << 28
# The header as a whole: many long arrays would keep the reader busy for hours.
MAX_ENTRIES = 1 << 22
# ggml's own limits: GGML_MAX_NAME with its closing zero, GGML_MAX_DIMS.
MAX_TENSOR_NAME_BYTES = 63
MAX_DIMENSIONS = 4
MAX_ALIGNMENT = 1 << 16
# Longer lists are counted and not kept; per-layer values are what is wanted of short ones.
KEPT_ENTRIES = 1024

_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


@dataclass(frozen=True)
class Array:
    """A list in the metadata: how many entries it has, and the entries themselves if they are few numbers or texts."""

    count: int
    entries: tuple["Scalar", ...]


Scalar: TypeAlias = int | float | bool | str
Value: TypeAlias = Scalar | Array


@dataclass(frozen=True)
class Tensor:
    """A tensor's place: `offset` counts from the end of the header, `shape` has the fastest dimension first."""

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class Header:
    """What stands before the weights. `data_offset` is where they begin, `size_bytes` the size of the whole file."""

    metadata: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
    data_offset: int
    size_bytes: int


class GgufError(BuilderError):
    """A file that is not a whole, well-formed GGUF file, or not one of a model that can be run."""


def read_header(path: Path) -> Header:
    """Read and check the header of a GGUF file; raises GgufError with the reason for which it is refused."""
    try:
        with path.open("rb") as file:
            return _header(_Reader(file, path.stat().st_size))
    except _RefusedError as reason:
        raise GgufError(
            f"this is not a GGUF file that can be used: {reason}",
            hint="Get the file again, from those who made the model",
            location=Location(path),
        ) from None


class _RefusedError(Exception):
    """The reason for which a file is refused."""


class _Reader:
    """Reads forward, never beyond the end of the file or the limit of a header."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        self.size_bytes = size_bytes
        self.position = 0
        self._entries_left = MAX_ENTRIES

    def take(self, count: int, what: str) -> bytes:
        if count > self.size_bytes - self.position:
            raise _RefusedError(f"it ends in the middle of {what}")
        if self.position + count > MAX_HEADER_BYTES:
            raise _RefusedError(f"its header is longer than {MAX_HEADER_BYTES >> 20} MiB")
        data = self._file.read(count)
        if len(data) != count:
            raise _RefusedError(f"it ends in the middle of {what}")
        self.position += count
        return data

    def number(self, form: str, what: str) -> int:
        return int(struct.unpack(f"<{form}", self.take(struct.calcsize(form), what))[0])

    def count(self, limit: int, what: str) -> int:
        counted = self.number("Q", f"the number of {what}")
        if counted > limit:
            raise _RefusedError(f"it claims {counted} {what}; at most {limit} are believed")
        self._entries_left -= counted
        if self._entries_left < 0:
            raise _RefusedError(f"its header has more than {MAX_ENTRIES} entries")
        return counted

    def raw_string(self, limit: int, what: str) -> bytes:
        length = self.number("Q", f"the length of {what}")
        if length > limit:
            raise _RefusedError(f"{what} claims a length of {length} bytes; at most {limit} are believed")
        return self.take(length, what)

    def text(self, limit: int, what: str) -> str:
        try:
            return self.raw_string(limit, what).decode()
        except UnicodeDecodeError:
            raise _RefusedError(f"{what} is not UTF-8 text") from None


def _header(reader: _Reader) -> Header:
    if (magic := reader.take(4, "its first four bytes")) != MAGIC:
        raise _RefusedError(f"it begins with {magic!r} and not with {MAGIC!r}")
    version = reader.number("I", "its version")
    if version not in VERSIONS:
        other = struct.unpack(">I", struct.pack("<I", version))[0]
        why = ", written for big-endian machines" if other in VERSIONS else ""
        raise _RefusedError(f"it has version {version}{why}; versions 2 and 3 are known")
    n_tensors = reader.count(MAX_TENSORS, "tensors")
    n_keys = reader.count(MAX_KEYS, "keys")
    metadata = _metadata(reader, n_keys)
    if n_tensors == 0:
        raise _RefusedError("it has no tensors")
    alignment = _alignment(metadata)
    tensors = _tensors(reader, n_tensors, alignment)
    data_offset = _aligned(reader.position, alignment)
    _check_end(tensors[-1], data_offset, reader.size_bytes, alignment)
    return Header(metadata, tensors, data_offset, reader.size_bytes)


def _metadata(reader: _Reader, n_keys: int) -> dict[str, Value]:
    metadata: dict[str, Value] = {}
    for number in range(1, n_keys + 1):
        key = reader.text(MAX_KEY_BYTES, f"key {number}")
        if not key or not key.isascii() or not key.isprintable():
            raise _RefusedError(f"key {number} is {key!r}; a key is printable ASCII text")
        if key in metadata:
            raise _RefusedError(f"the key {key} occurs twice")
        metadata[key] = _value(reader, reader.number("I", f"the type of {key}"), key)
    return metadata


def _value(reader: _Reader, type_: int, key: str) -> Value:
    if type_ == _STRING:
        return reader.text(MAX_STRING_BYTES, key)
    if type_ == _ARRAY:
        return _array(reader, key)
    return _scalar(reader, type_, key)


def _scalar(reader: _Reader, type_: int, key: str) -> Scalar:
    form = _SCALARS.get(type_)
    if form is None:
        raise _RefusedError(f"{key} has the unknown type {type_}")
    data = reader.take(struct.calcsize(form), key)
    if form == "?" and data > b"\1":
        raise _RefusedError(f"{key} is neither true nor false but {data[0]}")
    value: Scalar = struct.unpack(f"<{form}", data)[0]
    return value


def _array(reader: _Reader, key: str) -> Array:
    type_ = reader.number("I", f"the type of the entries of {key}")
    if type_ == _ARRAY:
        raise _RefusedError(f"{key} is a list of lists, which llama.cpp does not read")
    count = reader.count(MAX_ARRAY_ENTRIES, f"entries of {key}")
    kept = count <= KEPT_ENTRIES
    if type_ == _STRING:
        # A token may be part of a character, so it need not be UTF-8.
        texts = (reader.raw_string(MAX_STRING_BYTES, f"an entry of {key}") for _ in range(count))
        if kept:
            return Array(count, tuple(text.decode(errors="replace") for text in texts))
        for _text in texts:
            pass
        return Array(count, ())
    if kept:
        return Array(count, tuple(_scalar(reader, type_, key) for _ in range(count)))
    form = _SCALARS.get(type_)
    if form is None:
        raise _RefusedError(f"the entries of {key} have the unknown type {type_}")
    reader.take(count * struct.calcsize(form), key)
    return Array(count, ())


def _alignment(metadata: Mapping[str, Value]) -> int:
    alignment = metadata.get("general.alignment", 32)
    if type(alignment) is not int or not 0 < alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
        raise _RefusedError(f"general.alignment is {alignment!r}; it must be a power of two up to {MAX_ALIGNMENT}")
    return alignment


def _tensors(reader: _Reader, n_tensors: int, alignment: int) -> tuple[Tensor, ...]:
    tensors: dict[str, Tensor] = {}
    expected_offset = 0
    for number in range(1, n_tensors + 1):
        tensor = _tensor(reader, number)
        if tensor.name in tensors:
            raise _RefusedError(f"the tensor {tensor.name} occurs twice")
        if tensor.offset % alignment:
            raise _RefusedError(f"the tensor {tensor.name} is not aligned to {alignment} bytes")
        if tensor.offset < expected_offset:
            raise _RefusedError(f"the tensor {tensor.name} overlaps the one before it")
        if tensor.offset > expected_offset:
            raise _RefusedError(f"there is a gap before the tensor {tensor.name}")
        expected_offset = _aligned(tensor.offset + tensor.size_bytes, alignment)
        tensors[tensor.name] = tensor
    return tuple(tensors.values())


def _tensor(reader: _Reader, number: int) -> Tensor:
    name = reader.text(MAX_TENSOR_NAME_BYTES, f"the name of tensor {number}")
    if not name or not name.isascii() or not name.isprintable():
        raise _RefusedError(f"tensor {number} is named {name!r}; a name is printable ASCII text")
    n_dimensions = reader.number("I", f"the dimensions of {name}")
    if not 1 <= n_dimensions <= MAX_DIMENSIONS:
        raise _RefusedError(f"the tensor {name} has {n_dimensions} dimensions; 1 to {MAX_DIMENSIONS} are possible")
    shape = tuple(reader.number("Q", f"the shape of {name}") for _ in range(n_dimensions))
    type_ = reader.number("I", f"the type of {name}")
    offset = reader.number("Q", f"the offset of {name}")
    if type_ not in TENSOR_TYPES:
        raise _RefusedError(f"the tensor {name} has the unknown type {type_}")
    if not all(shape):
        raise _RefusedError(f"the tensor {name} is empty")
    block_elements, block_bytes = TENSOR_TYPES[type_]
    if shape[0] % block_elements:
        raise _RefusedError(f"the rows of {name} have {shape[0]} elements, which are not whole blocks")
    size_bytes = prod(shape) // block_elements * block_bytes
    # A tensor that is larger than the file lies about its shape; the offset is looked at where all are known.
    if size_bytes > reader.size_bytes or offset > reader.size_bytes:
        raise _RefusedError(f"the tensor {name} is not inside the file")
    return Tensor(name, shape, type_, offset, size_bytes)


def _check_end(last: Tensor, data_offset: int, size_bytes: int, alignment: int) -> None:
    end = data_offset + last.offset + last.size_bytes
    if end > size_bytes:
        raise _RefusedError(f"it is cut short: {end - size_bytes} bytes of the tensor {last.name} are missing")
    if size_bytes > _aligned(end, alignment):
        raise _RefusedError(f"{size_bytes - end} bytes follow its last tensor, which belong to nothing")


def _aligned(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment
