"""A GGUF file that somebody made: read when it is right, refused with one reason when it is not."""

import struct
from dataclasses import replace
from pathlib import Path

import gguf
import pytest

from builder.model.ggml import QUANTISATIONS, TENSOR_TYPES
from builder.model.gguf import Array, GgufError, read_header
from tests.support.gguf_file import (
    ARRAY,
    BOOL,
    F32,
    METADATA,
    STRING,
    UINT8,
    UINT64,
    GgufFile,
    TensorEntry,
    text,
    u32,
    u64,
    with_metadata,
)
from tests.support.tiny_model import write_tiny_model

GOOD = GgufFile()
KEYS = GOOD.keys
NORM = TensorEntry("output_norm.weight", (64,), F32, None, 256)
LONG = struct.pack("<Q", 1 << 62)


def write(tmp_path: Path, content: GgufFile | bytes) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(content if isinstance(content, bytes) else content.to_bytes())
    return path


def test_a_header_is_read(tmp_path: Path) -> None:
    header = read_header(write(tmp_path, GOOD))
    assert header.metadata["general.architecture"] == "llama"
    assert header.metadata["general.languages"] == Array(2, ("en", "de"))
    assert [(one.name, one.shape, one.offset, one.size_bytes) for one in header.tensors] == [
        ("token_embd.weight", (64, 3), 0, 108),
        ("output_norm.weight", (64,), 128, 256),
    ]
    assert header.data_offset + 128 + 256 == header.size_bytes


def test_it_reads_what_the_developers_own_package_writes(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_tiny_model(path)
    ours, theirs = read_header(path), gguf.GGUFReader(path)
    assert set(ours.metadata) == {key for key in theirs.fields if not key.startswith("GGUF.")}
    assert [(one.name, ours.data_offset + one.offset, one.size_bytes) for one in ours.tensors] == [
        (one.name, one.data_offset, one.n_bytes) for one in theirs.tensors
    ]


def test_long_lists_are_counted_and_not_kept(tmp_path: Path) -> None:
    tokens = ARRAY, struct.pack("<IQ", STRING, 5000) + struct.pack("<Q", 0) * 5000
    header = read_header(write(tmp_path, with_metadata(tokenizer__ggml__tokens=tokens)))
    assert header.metadata["tokenizer.ggml.tokens"] == Array(5000, ())


def test_names_and_sizes_are_those_of_the_developers_own_package() -> None:
    assert {int(type_): size for type_, size in gguf.GGML_QUANT_SIZES.items()} == TENSOR_TYPES
    names = {int(one): one.name.removeprefix("MOSTLY_").removeprefix("ALL_") for one in gguf.LlamaFileType}
    del names[int(gguf.LlamaFileType.GUESSED)]
    assert names == QUANTISATIONS


def twice(key: str) -> GgufFile:
    return replace(GOOD, keys=(*KEYS, (key, METADATA[key])))


def with_tensor(**changes: object) -> GgufFile:
    return replace(GOOD, tensors=(replace(TensorEntry(), **changes), NORM))  # type: ignore[arg-type]


# (the file, the reason)
REFUSED = [
    (b"", "ends in the middle of its first four bytes"),
    (b"GGU", "ends in the middle of its first four bytes"),
    (b"PK\3\4" + bytes(100), "it begins with b'PK"),
    (b"GGUF", "ends in the middle of its version"),
    (replace(GOOD, version=1), "it has version 1; versions 2 and 3 are known"),
    (replace(GOOD, version=3 << 24), "written for big-endian machines"),
    # Counts
    (replace(GOOD, claimed_keys=1 << 63), f"it claims {1 << 63} keys; at most"),
    (replace(GOOD, claimed_tensors=1 << 63), f"it claims {1 << 63} tensors; at most"),
    (replace(GOOD, claimed_tensors=0), "it has no tensors"),
    (replace(GOOD, claimed_keys=4000), "key 1"),
    (replace(GOOD, claimed_tensors=3), "tensor 3"),
    # Keys and values
    (twice("general.name"), "the key general.name occurs twice"),
    (replace(GOOD, keys=(("", u32(1)),)), "key 1 is ''"),
    (replace(GOOD, keys=(("a\x1b[2J", u32(1)),)), "a key is printable ASCII text"),
    (replace(GOOD, keys=((b"\xff", u32(1)),)), "key 1 is not UTF-8 text"),
    (replace(GOOD, keys=(("k" * 257, u32(1)),)), "key 1 claims a length of 257 bytes"),
    (with_metadata(general__name=(STRING, LONG)), f"general.name claims a length of {1 << 62} bytes"),
    (with_metadata(general__name=(STRING, struct.pack("<Q", 1 << 20))), "ends in the middle of general.name"),
    (with_metadata(general__name=text(b"\xff\xfe")), "general.name is not UTF-8 text"),
    (with_metadata(x=(13, b"")), "x has the unknown type 13"),
    (with_metadata(x=(BOOL, b"\2")), "x is neither true nor false but 2"),
    # Lists
    (with_metadata(x=(ARRAY, struct.pack("<IQ", ARRAY, 1))), "x is a list of lists"),
    (with_metadata(x=(ARRAY, struct.pack("<IQ", 99, 1))), "x has the unknown type 99"),
    (with_metadata(x=(ARRAY, struct.pack("<IQ", 99, 5000))), "x have the unknown type 99"),
    (with_metadata(x=(ARRAY, struct.pack("<I", STRING) + LONG)), f"it claims {1 << 62} entries of x"),
    (with_metadata(x=(ARRAY, struct.pack("<IQ", UINT64, 1 << 20))), "ends in the middle of x"),
    (with_metadata(x=(ARRAY, struct.pack("<IQ", UINT8, 100))), "the tensor|tensor 1|ends in the middle"),
    # Tensors
    (with_metadata(general__alignment=u32(0)), "general.alignment is 0"),
    (with_metadata(general__alignment=u32(24)), "general.alignment is 24; it must be a power of two"),
    (with_metadata(general__alignment=u64(1 << 40)), "general.alignment is 1099511627776"),
    (with_metadata(general__alignment=text("32")), "general.alignment is '32'"),
    (with_tensor(name=""), "tensor 1 is named ''"),
    (with_tensor(name="t" * 64), "the name of tensor 1 claims a length of 64 bytes"),
    (with_tensor(name="\x1b"), "a name is printable ASCII text"),
    (with_tensor(name="output_norm.weight"), "the tensor output_norm.weight occurs twice"),
    (with_tensor(shape=()), "has 0 dimensions; 1 to 4 are possible"),
    (with_tensor(shape=(32, 1, 1, 1, 1)), "has 5 dimensions"),
    (with_tensor(shape=(64, 0)), "the tensor token_embd.weight is empty"),
    (with_tensor(shape=(65, 3)), "have 65 elements, which are not whole blocks"),
    (with_tensor(shape=(1 << 63, 1 << 63, 1 << 63, 1 << 63)), "the tensor token_embd.weight is not inside the file"),
    (with_tensor(type=4), "the tensor token_embd.weight has the unknown type 4"),
    (with_tensor(offset=1), "token_embd.weight is not aligned to 32 bytes"),
    (with_tensor(offset=32), "there is a gap before the tensor token_embd.weight"),
    (with_tensor(offset=1 << 62), "the tensor token_embd.weight is not inside the file"),
    (replace(GOOD, tensors=(TensorEntry(), replace(NORM, offset=96))), "output_norm.weight overlaps the one before"),
    (replace(GOOD, tensors=(TensorEntry(), replace(NORM, offset=0))), "output_norm.weight overlaps the one before"),
    # The end
    (GOOD.to_bytes()[:-1], "it is cut short: 1 bytes of the tensor output_norm.weight are missing"),
    (replace(GOOD, data=b""), "it is cut short: 384 bytes of the tensor output_norm.weight are missing"),
    (replace(GOOD, after=bytes(32)), "32 bytes follow its last tensor"),
    (replace(GOOD, after=b"#!/bin/sh\n"), "10 bytes follow its last tensor"),
]


@pytest.mark.parametrize(("content", "reason"), REFUSED)
def test_what_is_not_right_is_refused_with_the_reason(tmp_path: Path, content: GgufFile | bytes, reason: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(GgufError) as refused:
        read_header(path)
    assert any(part in refused.value.message for part in reason.split("|")), refused.value.message
    assert refused.value.location is not None
    assert refused.value.location.path == path


def test_wherever_a_file_is_cut_off_it_is_refused(tmp_path: Path) -> None:
    whole = GOOD.to_bytes()
    for length in range(len(whole)):
        with pytest.raises(GgufError):
            read_header(write(tmp_path, whole[:length]))


def test_many_long_lists_do_not_keep_the_reader_busy(tmp_path: Path) -> None:
    # Each is within its limit; together they would be billions of entries.
    one = ARRAY, struct.pack("<IQ", STRING, 1 << 21) + bytes(8) * (1 << 21)
    path = tmp_path / "model.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 1, 4000))
        for number in range(5):
            key = f"k{number}".encode()
            file.write(struct.pack("<Q", len(key)) + key + struct.pack("<I", one[0]) + one[1])
    with pytest.raises(GgufError, match="its header has more than"):
        read_header(path)
