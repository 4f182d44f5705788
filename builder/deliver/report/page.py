"""From what was read to the page. Templates and style lie beside this file."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from builder.deliver.report import words
from builder.deliver.report.boots import boot_chart
from builder.deliver.report.chain import boot_chain
from builder.deliver.report.contents import licences_by_use, packages_by_size
from builder.deliver.report.hardening import confined_units, topics
from builder.deliver.report.inputs import Inputs, Missing
from builder.deliver.report.strip import disk_strip

TEMPLATES = Path(__file__).parent


def render_page(inputs: Inputs) -> bytes:
    """Return the page as UTF-8. It is well-formed XML too, so that a program can read it."""
    return _environment().get_template("page.html.j2").render(_context(inputs)).encode()


def _context(inputs: Inputs) -> dict[str, Any]:
    """Return what the templates see: for each section its value, or what is missing for it."""
    evidence = inputs.evidence
    findings = sorted(evidence.findings, key=lambda finding: finding.passed)
    return {
        "evidence": evidence,
        "findings": findings,
        "record": inputs.record,
        "tests": inputs.tests,
        "chain": boot_chain(inputs),
        "strip": _given(inputs.partitions, lambda found: disk_strip(evidence.size_bytes, found, evidence.unchecked)),
        "units": _given(inputs.tests, confined_units),
        "topics": _given(inputs.tests, topics),
        "packages": _given(inputs.manifest, packages_by_size),
        "licences": _given(inputs.licences, licences_by_use),
        "chart": _given(inputs.tests, lambda tests: boot_chart(tests.notes, tests.accelerator)),
        "pictures": _given(inputs.tests, lambda tests: inputs.pictures),
    }


def _given(value: Any | Missing, make: Callable[[Any], Any]) -> Any:
    return value if isinstance(value, Missing) else make(value)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        name: getattr(words, name) for name in ("size", "short_digest", "grouped_digest", "seconds", "share")
    }
    environment.tests["missing"] = lambda value: isinstance(value, Missing)
    return environment


def _finalize(value: object) -> object:
    """Whatever a template writes goes through here; what it has made itself is left alone."""
    return words.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
