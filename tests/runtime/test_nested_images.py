"""A model image that is unsigned, signed by somebody else, or changed anywhere is told apart, and nothing breaks."""

import io
import random
import struct

import pytest

from claudine_runtime.ddi import ImageError, read_image, verify
from tests.support.model_image import (
    BLOCK,
    ROOT,
    SECTOR,
    SIGNATURE,
    TOTAL,
    VERITY,
    Owner,
    model_image,
    put,
    with_flipped_bit,
)


@pytest.fixture(scope="module")
def image(owner: Owner) -> bytes:
    return model_image(owner)


def problem(content: bytes, owner: Owner) -> str | None:
    """What is wrong with an image when every block of it is read."""
    file = io.BytesIO(content)
    try:
        verify(file, read_image(file, owner.db()), lambda percent: None)
    except ImageError as error:
        return error.problem
    return None


def test_the_owners_image_is_all_right(image: bytes, owner: Owner) -> None:
    found = read_image(io.BytesIO(image), owner.db())
    assert found.signer.sha256 == owner.fingerprint
    assert problem(image, owner) is None


def test_progress_goes_from_little_to_all(image: bytes, owner: Owner) -> None:
    file, seen = io.BytesIO(image), list[int]()
    verify(file, read_image(file, owner.db()), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 100


def test_who_signed_it_matters(image: bytes, owner: Owner, stranger: Owner) -> None:
    assert problem(model_image(None), owner) == "unsigned"
    assert problem(model_image(stranger), owner) == "foreign"
    assert problem(image, stranger) == "foreign"


@pytest.mark.parametrize(
    "offset",
    [
        SECTOR + 40,
        2 * SECTOR + 33,
        ROOT * SECTOR,
        ROOT * SECTOR + 150 * BLOCK,
        ROOT * SECTOR + 300 * BLOCK - 1,
        VERITY * SECTOR + 9,
        VERITY * SECTOR + 100,
        VERITY * SECTOR + BLOCK,
        VERITY * SECTOR + 2 * BLOCK,
        VERITY * SECTOR + 4 * BLOCK + 1000,
        SIGNATURE * SECTOR + 20,
    ],
)
def test_one_bit_anywhere_makes_it_a_changed_one(image: bytes, owner: Owner, offset: int) -> None:
    assert problem(with_flipped_bit(image, offset), owner) == "changed"


def test_a_bit_of_the_signature_itself_makes_it_a_changed_one(image: bytes, owner: Owner) -> None:
    end = image.index(b'"}', SIGNATURE * SECTOR)
    assert problem(with_flipped_bit(image, end - 100), owner) == "changed"


@pytest.mark.parametrize("content", [b"", b"x", bytes(SECTOR * 10), b"GGUF" + bytes(10_000), b"\xff" * 100_000])
def test_something_else_is_no_model_image(content: bytes, owner: Owner) -> None:
    assert problem(content, owner) == "unreadable"


def test_one_that_is_cut_off_is_changed(image: bytes, owner: Owner) -> None:
    for length in (SECTOR * 3, ROOT * SECTOR, VERITY * SECTOR + 10, SIGNATURE * SECTOR + 5, (TOTAL - 40) * SECTOR):
        assert problem(image[:length], owner) == "changed"


def test_absurd_numbers_break_nothing(image: bytes, owner: Owner) -> None:
    for offset, form in ((72, "<Q"), (80, "<I"), (84, "<I"), (12, "<I")):
        for number in (0, 1, 2**31, 2**32 - 1):
            changed = bytearray(image)
            put(changed, SECTOR + offset, struct.pack(form, number))
            assert problem(bytes(changed), owner) in ("changed", "unreadable")


def test_random_changes_are_never_taken_for_the_owners_image(image: bytes, owner: Owner) -> None:
    dice = random.Random(5)
    used = [(SECTOR, 92), (2 * SECTOR, 3 * 128), (ROOT * SECTOR, 300 * BLOCK), (VERITY * SECTOR + 88, 32)]
    for _ in range(30):
        start, length = dice.choice(used)
        offset = start + dice.randrange(length)
        assert problem(with_flipped_bit(image, offset), owner) is not None, offset
