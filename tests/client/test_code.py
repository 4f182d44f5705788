"""The code blocks of an answer, as people expect them to be copied."""

import pytest

from claudine.code import CodeBlock, code_blocks


@pytest.mark.parametrize(
    ("answer", "blocks"),
    [
        ("No code.", []),
        ("Say `x`, and ``` here.", []),
        ("Here:\n\n```python\nprint(1)\n\nprint(2)\n```\nDone.", [("python", "print(1)\n\nprint(2)\n")]),
        ("```\na\n```\n~~~ SH -x\nb\n~~~", [("", "a\n"), ("sh", "b\n")]),
        ("````md\n```\ninner\n```\n````", [("md", "```\ninner\n```\n")]),
        ("```\nnever closed", [("", "never closed\n")]),
        ("```\n```", [("", "")]),
        ("```\n    indented\n```python\n```", [("", "    indented\n```python\n")]),
    ],
)
def test_blocks(answer: str, blocks: list[tuple[str, str]]) -> None:
    assert [(block.language, block.text) for block in code_blocks(answer)] == blocks


@pytest.mark.parametrize(
    ("language", "name"), [("python", "code.py"), ("", "code.txt"), ("klingon", "code.txt"), ("c++", "code.cpp")]
)
def test_a_file_is_named_by_its_language(language: str, name: str) -> None:
    assert CodeBlock(language, "x").file_name == name
