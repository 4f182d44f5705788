"""Finding a file in the erofs of a model image, and refusing what is none."""

import struct
from collections.abc import Callable

import pytest

from builder.verify.formats.erofs import find_file
from builder.verify.formats.malformed import MalformedError
from tests.support.model_image import BLOCK
from tests.support.tiny_image import tiny_erofs

FILES = {"LICENCE": b"free", "model.gguf": bytes(range(251)) * 40, "model.json": b"{}"}
ROOT_INODE = 1024 + 128


def content_of(image: bytes, name: str) -> bytes:
    def read(offset: int, size: int) -> bytes:
        if offset + size > len(image):
            raise MalformedError("the image ends", offset)
        return image[offset : offset + size]

    file = find_file(read, name)
    found = b"".join(read(offset, size) for offset, size in file.spans)
    assert len(found) == file.size_bytes
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_found_with_its_content(name: str) -> None:
    assert content_of(tiny_erofs(FILES), name) == FILES[name]


def number(form: str, offset: int, value: int) -> Callable[[bytearray], None]:
    return lambda image: struct.pack_into(form, image, offset, value)


MALFORMED: list[tuple[str, Callable[[bytearray], None], str]] = [
    ("another file system", number("<I", 1024, 0), "no erofs"),
    ("another size of blocks", number("<B", 1036, 9), "no erofs"),
    ("newer features", number("<I", 1104, 1), "features"),
    ("a top directory far away", number("<H", 1038, 0xFFFF), "the image ends"),
    ("metadata far away", number("<I", 1064, 0xFFFFFFFF), "the image ends"),
    ("a top directory that is a file", number("<H", ROOT_INODE + 4, 0o100644), "of another kind"),
    ("a compressed directory", number("<H", ROOT_INODE, 1 << 1), "of another kind"),
    ("a directory without end", number("<I", ROOT_INODE + 8, 0xFFFFFFFF), "a directory of"),
    ("an empty directory", number("<I", ROOT_INODE + 8, 0), "no file model.gguf"),
    ("names before the names", number("<H", BLOCK + 8, 0), "no file model.gguf"),
    ("names behind the block", number("<H", BLOCK + 8, 0xFFFF), "no file model.gguf"),
    ("an inode far away", number("<Q", BLOCK + 12, 1 << 60), "the image ends"),
    ("a file that is a directory", number("<Q", BLOCK + 12, ROOT_INODE // 32), "of another kind"),
]


@pytest.mark.parametrize(("change", "found"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_malformed_file_system_is_refused(change: Callable[[bytearray], None], found: str) -> None:
    image = bytearray(tiny_erofs(FILES))
    change(image)
    with pytest.raises(MalformedError, match=found):
        content_of(bytes(image), "model.gguf")
