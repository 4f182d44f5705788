"""What a YAML file may look like, and what its unquoted values mean."""

from itertools import pairwise
from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.profile import load_document

BOMB = "a: &a [x, x, x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in pairwise("abcdefghi"))

# (text, line:column, what is said)
REFUSED = [
    ("", "1", "the file says nothing"),
    ("# only a comment\n", "1", "the file says nothing"),
    ("---\n", "1", "the file says nothing"),
    ("- a\n- b\n", "1:1", "the file holds a list"),
    ("hello\n", "1:1", "the file holds a single value"),
    ("a: 1\nb: 2\na: 3\n", "3:1", "the key 'a' is here a second time, after line 1"),
    ("a:\n  b: 1\n  'b': 2\n", "3:3", "the key 'b' is here a second time, after line 2"),
    ("a: 1\n---\nb: 2\n", "2:1", "a second document"),
    ("%YAML 1.1\n---\na: 1\n", "1:1", "directives"),
    (BOMB, "1:4", "&a is an alias or anchor"),
    ("a: *b\n", "1:4", "*b is an alias or anchor"),
    ("modules:\n  - *\n", "2:5", "a value cannot start with * or &"),
    ("a: {b: 1}\n<<: {c: 2}\n", "2:1", "merge keys"),
    ("a: !!python/name:os.system\n", "1:4", "the tag tag:yaml.org,2002:python/name:os.system"),
    ("a: !vault x\n", "1:4", "the tag !vault"),
    ("1: a\n", "1:1", "a key must be plain text"),
    ("true: a\n", "1:1", "a key must be plain text"),
    ("[a, b]: c\n", "1:1", "a key must be plain text"),
    ("a:\n\tb: 1\n", "2:1", "a tab stands where YAML allows only spaces"),
    ("a:\t1\n", "1:3", "a tab stands where YAML allows only spaces"),
    ("a: b: c\n", "1:5", "a ':' is not possible here"),
    ("a: 1\nb\n", "2:1", "this key has no ':'"),
    ("a: 'b\n", "1:4", "the quote that opens here is never closed"),
    ("a:\n  b: [1, 2\nc: 3\n", "2:6", "the list that opens here is never closed"),
    ("a: {b: 1\n", "1:4", "the mapping that opens here is never closed"),
    ("a:\n    b: 1\n  c: 2\n", "3:3", "the indentation of this line fits none"),
    ("a: 1\n- b\n", "2:1", "a list entry stands among the keys"),
    ("a: 1]\nb: [1, ]]\n", "2:9", "there is a ] too many"),
    ("a: @b\n", "1:4", "a value cannot start with this character"),
    ('a: "\\d"\n', "1:6", "a backslash in double quotes"),
    ("a: 1\nb: x\0y\n", "2:5", "the control character U+0000"),
    ("a: " + "[" * 500, "1:24", "nested more than 20 levels deep"),
]


@pytest.mark.parametrize(("text", "place", "said"), REFUSED)
def test_a_file_against_the_rules_is_refused_where_it_breaks_them(
    tmp_path: Path, text: str, place: str, said: str
) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    with pytest.raises(BuilderError) as error:
        load_document(path)
    assert str(error.value.location) == f"{path}:{place}"
    assert said in error.value.message


# (unquoted value, what it means)
MEANINGS = [
    ("true", True),
    ("false", False),
    ("null", None),
    ("~", None),
    ("", None),
    ("12", 12),
    ("-3", -3),
    ("0.5", 0.5),
    ("1e3", 1000.0),
    ("no", "no"),
    ("yes", "yes"),
    ("on", "on"),
    ("off", "off"),
    ("True", "True"),
    ("NULL", "NULL"),
    ("0x1f", "0x1f"),
    ("0o17", "0o17"),
    ("017", "017"),
    ("1_000", "1_000"),
    ("1:30", "1:30"),
    (".5", ".5"),
    (".inf", ".inf"),
    ("2026-11-01", "2026-11-01"),
    ("0.1.0", "0.1.0"),
    ("a # comment", "a"),
    ("/drivers/virtio/", "/drivers/virtio/"),
    ("{a: [1, x]}", {"a": [1, "x"]}),
]


@pytest.mark.parametrize(("written", "meant"), MEANINGS)
def test_an_unquoted_value_means_what_a_reader_expects(tmp_path: Path, written: str, meant: object) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(f"key: {written}\n")
    value = load_document(path).data["key"]
    assert value == meant
    assert type(value) is type(meant)


def test_quotes_make_text_of_anything(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("a: 'true'\nb: \"12\"\nc: ''\nd: |\n  1\n")
    assert load_document(path).data == {"a": "true", "b": "12", "c": "", "d": "1\n"}


def test_each_key_and_value_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("boot:\n  console:\n    - tty0\n    - {port: ttyS0}\n  empty:\n")
    document = load_document(path)
    assert str(document.locate_key(("boot",))) == f"{path}:1:1"
    assert str(document.locate(("boot",))) == f"{path}:2:3"
    assert str(document.locate(("boot", "console", 0))) == f"{path}:3:7"
    assert str(document.locate(("boot", "console", 1, "port"))) == f"{path}:4:14"
    assert str(document.locate_key(("boot", "console", 1, "port"))) == f"{path}:4:8"
    assert str(document.locate(("boot", "empty"))) == f"{path}:5:9"


def test_what_is_not_there_is_placed_at_what_encloses_it(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("a: 1\nboot:\n  console: []\n")
    document = load_document(path)
    assert document.locate(("boot", "console", 3)) == document.locate(("boot", "console"))
    assert document.locate_key(("boot", "splash")) == document.locate_key(("boot",))


def test_windows_line_ends_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    document = load_document(path)
    assert document.data == {"a": 1, "b": 2}
    assert str(document.locate(("b",))) == f"{path}:2:4"


def test_other_encodings_are_refused_at_the_first_such_byte(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes("a: ä\nb: ".encode() + "é".encode("latin1"))
    with pytest.raises(BuilderError, match="0xe9 is not UTF-8") as error:
        load_document(path)
    assert str(error.value.location) == f"{path}:2:4"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path, said in [
        (tmp_path / "absent.yaml", "no such file"),
        (tmp_path, "this is a directory"),
        (Path("/dev/zero"), "not a regular file"),
        (tmp_path / "a\0b.yaml", "cannot be read"),
    ]:
        with pytest.raises(BuilderError, match=said) as error:
            load_document(path)
        assert str(error.value.location) == str(path)
