"""What may be on a stick, and what becomes of it: nothing outside it is ever read."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from claudine import stick as stick_module
from claudine.stick import OpenStick, StickError, safe_name


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "stick"
    root.mkdir()
    return root


@pytest.fixture
def stick(root: Path) -> Iterator[OpenStick]:
    with closing(OpenStick(str(root))) as stick:
        yield stick


def names(stick: OpenStick, *place: str) -> list[str]:
    return [entry.name for entry in stick.entries(place)]


def test_folders_come_first_and_what_a_computer_hides_is_left_out(root: Path, stick: OpenStick) -> None:
    for folder in ("zoo", ".Trashes", "System Volume Information"):
        (root / folder).mkdir()
    for file in ("b.txt", "A.txt", ".hidden"):
        (root / file).write_text("x")
    assert names(stick) == ["zoo", "A.txt", "b.txt"]


def test_a_text_is_read_as_it_is(root: Path, stick: OpenStick) -> None:
    (root / "notes").mkdir()
    (root / "notes" / "größe.txt").write_bytes("\ufeffGrüße\r\nzwei\x1b[2J\n".encode())
    assert stick.read(("notes", "größe.txt")) == "Grüße\nzwei[2J\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "photo is no text: there are bytes in it that no text has."),
        (b"x" * 9000 + b"\0", "photo is no text: there are bytes"),
        ("Grüße".encode("utf-16"), "photo is no text: there are bytes"),
        ("ok\nGrüße".encode("latin-1"), "photo is no text in UTF-8: line 2 is not."),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(root: Path, stick: OpenStick, content: bytes, reason: str) -> None:
    (root / "photo").write_bytes(content)
    with pytest.raises(StickError, match=r"^" + reason):
        stick.read(("photo",))


def test_a_file_of_ten_gigabytes_is_refused_without_being_read(root: Path, stick: OpenStick) -> None:
    with (root / "big.txt").open("w") as file:
        file.write("a" * 10000)
        file.truncate(10 * 1000**3)
    with pytest.raises(StickError, match=r"big.txt has 10 GB, and I read 1.0 MB at once at most"):
        stick.read(("big.txt",))


def test_links_are_neither_listed_nor_followed(root: Path, stick: OpenStick) -> None:
    (root / "file").symlink_to(root.parent / "secret.txt")
    (root / "folder").symlink_to(root.parent)
    (root / "loop").symlink_to(".")
    assert names(stick) == []
    with pytest.raises(OSError, match="symbolic link"):
        stick.read(("file",))
    for folder in ("folder", "loop"):
        with pytest.raises(OSError, match="Not a directory"):
            stick.read((folder, "secret.txt"))
    assert stick.read_folder(()).files == ()


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(root: Path, stick: OpenStick) -> None:
    os.mkfifo(root / "pipe")
    assert names(stick) == []
    with pytest.raises(StickError, match="pipe is no file"):
        stick.read(("pipe",))


def test_a_folder_is_read_with_all_below_it_but_what_is_no_text(root: Path, stick: OpenStick) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "one.txt").write_text("1")
    (root / "a" / "b" / "two.txt").write_text("2")
    (root / "a" / "photo").write_bytes(bytes(5_000_000))
    reading = stick.read_folder(("a",))
    assert reading.files == (("one.txt", "1"), ("b/two.txt", "2"))
    assert reading.skipped == 1


def test_folders_without_end_are_given_up(root: Path, stick: OpenStick) -> None:
    (root / "/".join(["d"] * 20)).mkdir(parents=True)
    with pytest.raises(StickError, match="more than 8 deep"):
        stick.read_folder(())


def test_too_many_files_are_given_up(root: Path, stick: OpenStick, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stick_module, "_MOST_BELOW", 3)
    for number in range(4):
        (root / f"{number}").write_text("x")
    with pytest.raises(StickError, match="more than 3 files"):
        stick.read_folder(())


def test_too_much_text_is_given_up_as_a_whole(root: Path, stick: OpenStick, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stick_module, "MOST_BYTES", 1000)
    for number in range(3):
        (root / f"{number}").write_text("x" * 400)
    with pytest.raises(StickError, match="2 has 400 bytes"):
        stick.read_folder(())


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/shadow", "etc-shadow"),
        ("..", "claudine"),
        ("", "claudine"),
        (".profile", "profile"),
        ('a/b\\c:d*e?f"g<h>i|j', "a-b-c-d-e-f-g-h-i-j"),
        ("what?.md", "what-.md"),
        ("dots... ", "dots"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("lines\nand\ttabs\x1b", "lines and tabs"),
        ("x" * 200 + ".py", "x" * 57 + ".py"),
        ("größe 日本.md", "größe 日本.md"),
    ],
)
def test_names_are_such_as_any_stick_can_have(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_names_that_are_no_text_can_be_read(root: Path, stick: OpenStick) -> None:
    (root / os.fsdecode(b"gr\xf6\xdfe.txt")).write_text("old")
    [name] = names(stick)
    assert stick.read((name,)) == "old"
    assert stick.read_folder(()).files == (("gr??e.txt", "old"),)
