"""Running the suite: pytest in this process, so that what it does can be shown while it does it."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pytest

from builder.errors import BuilderError, ToolError
from builder.suite.display import open_display
from builder.suite.plugin import ReportPlugin
from builder.suite.report import ARTEFACTS, JUNIT, PICTURES, REPORT, Report, Subject

# The package runs from its source tree, as it does for the overlays.
ROOT = Path(__file__).parents[2]
TESTS_DIR = ROOT / "tests/image"


@dataclass(frozen=True)
class Suite:
    """What to run, on which image, and where the report goes. `keyword` is pytest's `-k`, "" for all checks."""

    image: Path
    report_directory: Path
    groups: tuple[str, ...]
    keyword: str = ""
    tests: Path = TESTS_DIR

    def arguments(self) -> list[str]:
        """Return pytest's arguments. Nothing depends on the directory that somebody happens to be in."""
        return [
            str(self.tests),
            *("--rootdir", str(ROOT), "--config-file", str(ROOT / "pyproject.toml")),
            *("--image", str(self.image), "--report", str(self.report_directory)),
            *("-m", " or ".join(self.groups), "-k", self.keyword),
            *("--junitxml", str(self.report_directory / JUNIT)),
            # Nothing is remembered for a next run, so nothing is written into the source tree.
            *("-p", "no:cacheprovider"),
        ]


def check_suite(suite: Suite) -> None:
    """Refuse what cannot work, before anything is done."""
    if not (suite.tests / "conftest.py").is_file():
        raise BuilderError(
            f"the tests of images are not in {suite.tests}",
            hint="They come with the source tree; run this from an installation made there, as `ci/setup` makes it",
        )
    directory = suite.report_directory
    if directory.exists() and not directory.is_dir():
        raise BuilderError(f"{directory} is not a directory", hint="Name another one, for example --report report")
    if directory.exists() and any(directory.iterdir()) and not (directory / REPORT).is_file():
        raise BuilderError(
            f"{directory} holds other things than a report",
            hint="Name another directory, for example --report report",
        )


def run_suite(suite: Suite, accelerator: str) -> tuple[Report, bool]:
    """Run the checks and return their report, and whether somebody interrupted them.

    Raises a ToolError when the machine did not start or pytest itself failed, and a BuilderError for checks that do
    not exist. The report of what ran is written in any case.
    """
    check_suite(suite)
    _clear(suite.report_directory)
    report = Report(Subject.of(suite.image), accelerator)
    report.write(suite.report_directory)
    with _stderr() as stream, open_display(stream) as display:
        plugin = ReportPlugin(report, suite.report_directory, display)
        code = pytest.main(suite.arguments(), plugins=[plugin])
    report.finished = code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    report.failure = plugin.given_up or ("interrupted" if plugin.interrupted else "")
    report.write(suite.report_directory)
    if not plugin.interrupted:
        _raise_unless_run(code, plugin)
    return report, plugin.interrupted


def _raise_unless_run(code: int, plugin: ReportPlugin) -> None:
    if plugin.broken_tests:
        raise ToolError("tests cannot be read:\n" + "\n".join(plugin.broken_tests))
    if plugin.given_up:
        raise ToolError(plugin.given_up)
    match code:
        case pytest.ExitCode.NO_TESTS_COLLECTED:
            raise BuilderError("no check is chosen", hint="Use another -k or --group; without them, all are run")
        case pytest.ExitCode.USAGE_ERROR:
            raise BuilderError("pytest refuses this choice of checks", hint="For example -k 'boot and not screen'")
        case pytest.ExitCode.INTERNAL_ERROR:
            raise ToolError("pytest failed; what it said is above")


def _clear(directory: Path) -> None:
    """Take the last run's report away: its artefacts and pictures would pass for this one's."""
    directory.mkdir(parents=True, exist_ok=True)
    for place in (ARTEFACTS, PICTURES):
        shutil.rmtree(directory / place, ignore_errors=True)
    (directory / JUNIT).unlink(missing_ok=True)


@contextmanager
def _stderr() -> Iterator[TextIO]:
    """Give out the real stderr, which pytest takes away from tests and from whoever runs beside them."""
    with os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1, errors="replace") as stream:
        yield stream
