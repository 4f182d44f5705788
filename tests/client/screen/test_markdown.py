"""Markdown as rows, and where a growing text may be drawn in parts."""

import random

import pytest

from claudine.screen.looks import QUIET
from claudine.screen.markdown import rows, settled

DRAWN = [
    ("plain words that wrap", 12, ["plain words", "that wrap"]),
    ("line\nbreaks stay", 40, ["line", "breaks stay"]),
    ("# Title\n\ntext", 40, ["Title", "", "text"]),
    ("- one\n- two words that wrap\n  1. sub", 14, ["• one", "• two words", "  that wrap", "  1. sub"]),
    ("7. seven\n8. eight", 40, ["7. seven", "8. eight"]),
    ("1. one\n\n   more\n\n2. two", 40, ["1. one", "", "   more", "", "2. two"]),
    ("> said\n> twice", 40, ["│ said", "│ twice"]),
    ("```py\nif x:\n\ty = 1\n```", 40, ["│ if x:", "│     y = 1"]),
    ("```\nabcdefghijklmnop\n```", 12, ["│ abcdefghij", "│ klmnop"]),
    ("```\nnever closed", 40, ["│ never closed"]),
    ("`code` and **bold", 40, ["code and **bold"]),
    ("[a](http://b) <http://c> ![d](e)", 60, ["a (http://b) http://c d"]),
    ("<b>&lt;</b>", 40, ["<b><</b>"]),
    ("***", 12, ["─" * 12]),
    ("|a|b|\n|-|-|\n|1|two words|", 12, ["a │ b", "────────────", "1 │ two", "  │ words"]),
    ("", 40, []),
]


@pytest.mark.parametrize(("source", "width", "drawn"), DRAWN)
def test_markdown_is_drawn(source: str, width: int, drawn: list[str]) -> None:
    assert [row.plain.rstrip() for row in rows(source, width, QUIET)] == drawn


SETTLED = [
    ("one paragraph", ""),
    ("one\n\n", ""),
    ("one\n\ntwo", "one\n\n"),
    ("- a\n\n- b", "- a\n\n"),
    ("- a\n\n  more of a", ""),
    ("```\na\n\nb", ""),
    ("~~~\n```\n\nb", ""),
    ("one\n\n```\na\n\nb\n```\n\nafter", "one\n\n```\na\n\nb\n```\n\n"),
]


@pytest.mark.parametrize(("source", "complete"), SETTLED)
def test_a_growing_answer_is_drawn_anew_from_its_last_open_block_only(source: str, complete: str) -> None:
    assert source[: settled(source)] == complete


def test_whatever_a_model_writes_fits_its_width() -> None:
    chance = random.Random(4)
    for _ in range(500):
        source = "".join(chance.choices("ab*`#->|1. \n\t[]()_~é漢", k=60))
        width = chance.randint(30, 80)
        assert all(row.cell_len <= width for row in rows(source, width, QUIET)), source
        assert 0 <= settled(source) <= len(source)
