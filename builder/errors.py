"""What goes wrong, in a form that a person can act on.

Code below the command line raises; it never exits and never prints. `builder.cli` turns what is raised here into
one message and an exit code. Anything else that reaches it is a bug and keeps its traceback.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Location:
    """A place in a file that a person wrote: 1-based line and column, 0 where unknown."""

    path: Path
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        # Short where it can be: people and editors read it from where they are.
        here = Path.cwd()
        where = str(self.path.relative_to(here) if self.path.is_relative_to(here) else self.path)
        if self.line:
            where += f":{self.line}"
            if self.column:
                where += f":{self.column}"
        return where


class BuilderError(Exception):
    """Wrong use or bad input: what is wrong, what to do about it, and where.

    `message` is one sentence without a full stop. `hint` says what would work, with a real value where there is one.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", location: Location | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.location = location

    def __str__(self) -> str:
        text = f"{self.location}: {self.message}" if self.location else self.message
        return f"{text}\n{self.hint}" if self.hint else text


class ToolError(BuilderError):
    """A program or a machine failed, or the host lacks what is needed."""

    exit_code = 3
