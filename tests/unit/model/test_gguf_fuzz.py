"""Thousands of malformed files: each is read or refused, and nothing else ever happens.

For a long run: `CLAUDINEOS_FUZZ=100000 pytest tests/unit/model/test_gguf_fuzz.py`.
"""

import os
import struct
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from builder.errors import BuilderError, Location
from builder.model.chat_template import check_chat_template
from builder.model.facts import read_facts
from tests.support.gguf_file import METADATA, TEMPLATE, GgufFile, TensorEntry, Typed

EXAMPLES = int(os.environ.get("CLAUDINEOS_FUZZ", "200"))
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=2000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    # The same files on every machine, unless a person asks for more of them.
    derandomize="CLAUDINEOS_FUZZ" not in os.environ,
    database=None,
)

GOOD = GgufFile().to_bytes()
NUMBERS = [0, 1, 4, 8, 9, 31, 32, 255, 1 << 16, (1 << 31) - 1, 1 << 32, 1 << 62, (1 << 63) - 1, (1 << 64) - 1]


def read_or_refused(content: bytes) -> None:
    """Read a file; a BuilderError is the only way in which it may fail, and its text must be fit for a terminal."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            read_facts(Path(file.name))
        except BuilderError as refused:
            assert refused.message
            assert refused.message.isprintable(), refused.message


@fuzz
@given(some.binary(max_size=400))
def test_noise(noise: bytes) -> None:
    read_or_refused(noise)
    read_or_refused(b"GGUF\3\0\0\0" + noise)


@fuzz
@given(
    some.lists(
        some.tuples(some.integers(0, len(GOOD) - 1), some.sampled_from(NUMBERS) | some.integers(0, 255)), max_size=6
    )
)
def test_numbers_that_lie(changes: list[tuple[int, int]]) -> None:
    content = bytearray(GOOD)
    for at, number in changes:
        raw = struct.pack("<Q", number) if number > 255 else bytes([number])
        content[at : at + len(raw)] = raw
    read_or_refused(bytes(content))


@fuzz
@given(some.integers(0, len(GOOD)), some.integers(0, len(GOOD)), some.binary(max_size=40), some.integers(0, 1 << 17))
def test_parts_cut_out_and_put_in(start: int, end: int, put_in: bytes, zeros: int) -> None:
    read_or_refused(GOOD[:start] + put_in + GOOD[end:] + bytes(zeros))


VALUES: some.SearchStrategy[Typed] = some.one_of(
    some.tuples(some.integers(0, 13), some.binary(max_size=20)),
    some.binary(max_size=30).map(lambda raw: (8, struct.pack("<Q", len(raw)) + raw)),
    some.tuples(some.integers(0, 13), some.sampled_from(NUMBERS), some.binary(max_size=40)).map(
        lambda array: (9, struct.pack("<IQ", array[0], array[1]) + array[2])
    ),
    some.sampled_from(NUMBERS).map(lambda number: (10, struct.pack("<Q", number))),
)
TENSORS = some.builds(
    TensorEntry,
    name=some.binary(max_size=70),
    shape=some.lists(some.sampled_from(NUMBERS), max_size=6).map(tuple),
    type=some.integers(0, 45),
    offset=some.none() | some.sampled_from(NUMBERS),
    size_bytes=some.integers(0, 400),
)


@fuzz
@given(
    some.dictionaries(some.sampled_from(sorted(METADATA)) | some.text(max_size=12), VALUES, max_size=8),
    some.lists(TENSORS, max_size=4),
    some.binary(max_size=64),
)
def test_keys_and_tensors_of_every_kind(changes: dict[str, Typed], tensors: list[TensorEntry], after: bytes) -> None:
    keys = tuple({**METADATA, **changes}.items())
    read_or_refused(GgufFile(keys=keys, after=after).to_bytes())
    read_or_refused(GgufFile(keys=keys, tensors=tuple(tensors), after=after).to_bytes())


BRACKETS = ["{{", "}}", "{%", "%}", "{#", "#}", "(", ")", "[", "]", "|", ".", "'", "~", "\n", "\x00", "\\N"]
WORDS = ["messages", " for ", " in ", "if ", "set ", "endfor", "macro f()", "include ", "import ", "__class__", "attr"]
PIECES = some.sampled_from([*BRACKETS, *WORDS, "9" * 50, "9" * 5000])


@fuzz
@given(some.lists(PIECES | some.text(max_size=4), max_size=40).map("".join))
def test_templates(text: str) -> None:
    for template in (text, TEMPLATE + text, "{{" * len(text) + text, "{{ " + "(" * 40 * len(text) + text):
        try:
            check_chat_template(template, Location(Path("model.gguf")))
        except BuilderError as refused:
            assert refused.message.isprintable(), refused.message
