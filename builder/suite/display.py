"""What a person sees while the suite runs: one line a check, and the one that runs now where the terminal can show it.

Lines that others write to stderr meanwhile, such as how far a boot is, appear above the running line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from builder.suite.report import Check

_STYLES = {"passed": "green", "failed": "bold red", "skipped": "yellow"}


class Display:
    """Shows checks as they begin and end."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Show that a check runs, as long as it does."""
        task = self._progress.add_task(name, total=None)
        try:
            yield
        finally:
            self._progress.remove_task(task)

    def show(self, check: Check) -> None:
        """Show how a check ended."""
        outcome = (f"{check.outcome:8}", _STYLES[check.outcome])
        reason = f" ({check.message})" if check.outcome == "skipped" else ""
        self._progress.console.print(Text.assemble(outcome, f"{check.seconds:7.1f} s  {check.name}{reason}"))


@contextmanager
def open_display(stream: TextIO) -> Iterator[Display]:
    """Show checks on `stream`: a terminal, or anything else, which gets plain lines."""
    # Names of checks may be longer than a line, and are for grep(1) as well.
    console = Console(file=stream, highlight=False, soft_wrap=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Display(progress)
