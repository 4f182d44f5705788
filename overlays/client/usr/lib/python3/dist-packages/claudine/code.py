"""The code blocks of an answer in Markdown, and the names that their files could have."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# CommonMark 0.31, section 4.5: three backticks or tildes or more; the same or more of them close the block.
_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)")

_EXTENSIONS = {
    "bash": "sh",
    "c": "c",
    "c++": "cpp",
    "cpp": "cpp",
    "css": "css",
    "csv": "csv",
    "go": "go",
    "html": "html",
    "ini": "ini",
    "java": "java",
    "javascript": "js",
    "js": "js",
    "json": "json",
    "latex": "tex",
    "lua": "lua",
    "markdown": "md",
    "perl": "pl",
    "php": "php",
    "python": "py",
    "python3": "py",
    "ruby": "rb",
    "rust": "rs",
    "sh": "sh",
    "shell": "sh",
    "sql": "sql",
    "toml": "toml",
    "typescript": "ts",
    "xml": "xml",
    "yaml": "yaml",
}


@dataclass(frozen=True)
class CodeBlock:
    """*language* is what stands behind the opening fence, in lower case; empty if nothing does."""

    language: str
    text: str

    @property
    def file_name(self) -> str:
        """A name for a file with it."""
        return f"code.{_EXTENSIONS.get(self.language, 'txt')}"


def code_blocks(answer: str) -> Iterator[CodeBlock]:
    """Yield the fenced code blocks of *answer* from top to bottom. One that is never closed goes to the end."""
    marks = ""
    language = ""
    lines: list[str] = []
    for line in answer.splitlines():
        fence = _FENCE.fullmatch(line)
        if not marks and fence:
            marks, lines = fence["marks"], []
            language = next(iter(fence["info"].lower().split()), "")
        elif marks and fence and fence["marks"].startswith(marks) and not fence["info"].strip():
            yield CodeBlock(language, _text(lines))
            marks = ""
        elif marks:
            lines.append(line)
    if marks and lines:
        yield CodeBlock(language, _text(lines))


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
