import pytest

from builder.errors import BuilderError
from builder.vm.console import screen_text
from builder.vm.keyboard import keys


def test_a_screen_becomes_lines_without_the_blanks_around_them() -> None:
    rows = ["Grüße,  ", "  I am \0", "        ", "        "]
    data = bytes([4, 8]) + "".join(rows).encode("utf-32-le")
    assert screen_text(data) == "Grüße,\n  I am"


def test_an_empty_screen_is_empty_text() -> None:
    assert screen_text(bytes([2, 3]) + ("   " * 2).encode("utf-32-le")) == ""


@pytest.mark.parametrize(
    ("text", "pressed"),
    [
        ("a", [["a"]]),
        ("A1", [["shift", "a"], ["1"]]),
        ("? ", [["shift", "slash"], ["spc"]]),
        ("'\"", [["apostrophe"], ["shift", "apostrophe"]]),
        ("\n\t\x1b", [["ret"], ["tab"], ["esc"]]),
        ("\x03\x04", [["ctrl", "c"], ["ctrl", "d"]]),
        ("", []),
    ],
)
def test_text_becomes_keys_of_a_us_layout(text: str, pressed: list[list[str]]) -> None:
    assert keys(text) == pressed


def test_what_has_no_key_is_refused() -> None:
    with pytest.raises(BuilderError, match="no key for 'é'"):
        keys("é")
