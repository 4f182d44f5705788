"""The tests of an image, run by the tool instead of by hand: `tests/image`, and a report of what they found.

    report, interrupted = run_suite(Suite(image, directory, DEFAULT_GROUPS), "tcg")

DIR/test-report.json      every check with its outcome, and what the checks have measured
DIR/junit.xml             the same for continuous integration
DIR/artefacts/<check>/    what was kept of each failure: the error in full, the machine's logs, screen and journal
"""

from builder.suite.groups import DEFAULT_GROUPS, GROUPS
from builder.suite.report import Check, Report
from builder.suite.session import Suite, check_suite, run_suite

__all__ = ["DEFAULT_GROUPS", "GROUPS", "Check", "Report", "Suite", "check_suite", "run_suite"]
