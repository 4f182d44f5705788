"""What mkfs.erofs writes is read as it was: the compressed forms that no test writes by hand."""

import random
from pathlib import Path

import pytest

from builder.compare.erofs import Erofs
from builder.compare.source import Memory
from builder.run import run
from builder.toolchain import open_toolchain

pytestmark = pytest.mark.server

CHANCE = random.Random(1)
WORDS = [CHANCE.randbytes(3).hex() for _ in range(2000)]
SIZES = (0, 1, 100, 4095, 4096, 4097, 8192, 70_000, 1_500_000)


def text(size: int) -> bytes:
    return " ".join(CHANCE.choices(WORDS, k=size // 7 + 1)).encode()[:size]


@pytest.mark.parametrize(
    "options",
    [
        ("-zzstd",),
        ("-zzstd", "-C65536"),
        ("-zzstd", "-Elegacy-compress"),
        ("-zzstd", "-x-1"),
        ("-zzstd", "-T0", "--all-root"),
        (),
    ],
    ids=" ".join,
)
def test_each_file_comes_out_as_it_went_in(tmp_path: Path, options: tuple[str, ...]) -> None:
    source = tmp_path / "tree"
    source.mkdir()
    contents = {f"text-{size}": text(size) for size in SIZES}
    contents |= {f"noise-{size}": CHANCE.randbytes(size) for size in SIZES[:-1]}
    contents |= {f"zeros-{size}": bytes(size) for size in SIZES}
    for name, content in contents.items():
        (source / name).write_bytes(content)
    many = source / "many"
    many.mkdir()
    for number in range(1000):
        (many / f"a-link-with-a-name-{number}").symlink_to(str(number))
    image = tmp_path / "image"
    run(open_toolchain().box(["mkfs.erofs", *options, str(image), str(source)]))
    files = Erofs(Memory(image.read_bytes()))
    found = {path: b"".join(files.chunks(inode)) for path, inode in files.walk()}
    assert {
        path.removeprefix("/"): found[path] for path in found if path.count("/") == 1 and path[1:] in contents
    } == contents
    assert {found[f"/many/a-link-with-a-name-{number}"] for number in range(1000)} == {
        str(number).encode() for number in range(1000)
    }
