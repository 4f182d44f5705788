"""The pytest plugin that turns a session of pytest into a report.

The tests know three things of it: a failure's artefacts go to `artefacts_directory(item)`, notes for the report to
`config.stash[NOTES]`, and when there is no machine to run on, they call `pytest.exit`. All of it works without the
plugin too, when somebody calls pytest by hand.
"""

import re
from collections.abc import Generator
from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.suite.display import Display
from builder.suite.groups import GROUPS
from builder.suite.report import ARTEFACTS, Check, Report

NOTES = pytest.StashKey[dict[str, object]]()
# The error in full, as pytest prints it, with what the test wrote.
FAILURE = "failure.txt"


def report_directory(config: pytest.Config) -> Path:
    """Return where the report goes, or only artefacts, when somebody calls pytest by hand."""
    # Without tests/image on its command line, pytest does not know the option.
    named = config.getoption("--report", default=None)
    return Path(named) if named else config.rootpath / "build/test-artefacts"


def artefacts_directory(item: pytest.Item) -> Path:
    """Return where the artefacts of a check go if it fails."""
    name = re.sub(r"[^\w.]+", "-", f"{item.path.stem}-{item.name}", flags=re.ASCII).strip("-")
    return report_directory(item.config) / ARTEFACTS / name[:150]


def name_in_words(item: pytest.Item) -> str:
    """Return the statement that a test's name makes, and for which of its parameters."""
    function, _, parameters = item.name.partition("[")
    words = function.removeprefix("test_").replace("_", " ")
    return f"{words}: {parameters.removesuffix(']')}" if parameters else words


class ReportPlugin:
    """Collects the checks of one session.

    `interrupted` says that somebody pressed Ctrl+C, `given_up` why the tests themselves ended the session early, and
    `broken_tests` what is wrong with files that cannot be read.
    """

    def __init__(self, report: Report, directory: Path, display: Display) -> None:
        self._report = report
        self._directory = directory
        self._display = display
        self._phases: list[pytest.TestReport] = []
        self._error: BaseException | None = None
        self.interrupted = False
        self.given_up = ""
        self.broken_tests: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Take pytest's own output away: the display is in its place."""
        config.stash[NOTES] = self._report.notes
        config.pluginmanager.unregister(name="terminalreporter")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a file of tests that cannot be read."""
        if report.failed:
            self.broken_tests.append(report.longreprtext)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember who ended the session early: the tests, or a person (and not pytest, for tests it cannot read)."""
        if isinstance(excinfo.value, pytest.exit.Exception):
            self.given_up = excinfo.value.msg
        elif not isinstance(excinfo.value, pytest.Session.Interrupted):
            self.interrupted = True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Run one check, from its set-up to its clearing away."""
        self._phases, self._error = [], None
        with self._display.running(name_in_words(item)):
            done = yield
        check = self._check(item)
        self._report.checks.append(check)
        self._report.write(self._directory)
        self._display.show(check)
        return done

    def pytest_exception_interact(self, call: pytest.CallInfo[object]) -> None:
        """Remember what a check failed with."""
        if call.excinfo is not None:
            self._error = self._error or call.excinfo.value

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember how a phase of a check ended."""
        self._phases.append(report)

    def _check(self, item: pytest.Item) -> Check:
        group = next((marker.name for marker in item.iter_markers() if marker.name in GROUPS), "main")
        seconds = round(sum(phase.duration for phase in self._phases), 1)
        outcome, message = "passed", ""
        artefacts: tuple[str, ...] = ()
        if failed := [phase for phase in self._phases if phase.failed]:
            outcome, message = "failed", _message(self._error)
            artefacts = self._keep(artefacts_directory(item), failed[0])
        elif skipped := [phase for phase in self._phases if phase.skipped]:
            outcome, message = "skipped", _reason(skipped[0])
        topic = item.path.stem.removeprefix("test_").replace("_", " ")
        return Check(group, topic, name_in_words(item), outcome, seconds, message, artefacts)

    def _keep(self, directory: Path, phase: pytest.TestReport) -> tuple[str, ...]:
        """Write the error beside what else was kept, and return all of it."""
        directory.mkdir(parents=True, exist_ok=True)
        sections = (f"---- {title} ----\n{text}" for title, text in phase.sections)
        (directory / FAILURE).write_text("\n\n".join([phase.longreprtext, *sections]) + "\n")
        return tuple(sorted(str(path.relative_to(self._directory)) for path in directory.iterdir()))


def _message(error: BaseException | None) -> str:
    """Return the first line of an error, with its kind where the line does not speak for itself."""
    first = (str(error).strip().splitlines() or [""])[0]
    if first and isinstance(error, AssertionError | BuilderError | pytest.fail.Exception):
        return first
    return f"{type(error).__name__}: {first}".removesuffix(": ")


def _reason(phase: pytest.TestReport) -> str:
    """Return why a check was skipped: pytest gives file, line and "Skipped: reason"."""
    return phase.longrepr[2].removeprefix("Skipped: ") if isinstance(phase.longrepr, tuple) else phase.longreprtext
