"""From Debian's copyright files to SPDX licence expressions.

    licence_expression(text, source="curl")        # "BSD-3-Clause AND ISC AND curl"

What a machine can read (copyright-format/1.0, "DEP-5") names a licence for each group of the source's files; a package
has parts of any of them, so they are joined with AND. A name that SPDX does not know becomes `LicenseRef-<name>`, and
a text that no machine can read `LicenseRef-<source package>`: whoever wants to know has to read it.
"""

import logging
import re
from typing import Any

from cyclonedx.spdx import fixup_id
from debian.copyright import Copyright, Error

# Debian's short names that differ from SPDX's, in lower case. A name that stands for more than one text is not here.
_NAMES = {
    "apache-2": "Apache-2.0",
    "artistic": "Artistic-1.0-Perl",
    "bsl-1": "BSL-1.0",
    "cc0": "CC0-1.0",
    "expat": "MIT",
    "gpl-any": "GPL-1.0-or-later",
    "mpl-2": "MPL-2.0",
    "psf-2": "PSF-2.0",
}

_EXCEPTIONS = {
    "bison": "Bison-exception-2.2",
    "bison-2.2": "Bison-exception-2.2",
    "classpath": "Classpath-exception-2.0",
    "font": "Font-exception-2.0",
    "gcc": "GCC-exception-3.1",
    "libtool": "Libtool-exception",
    "linux-syscall-note": "Linux-syscall-note",
    "llvm": "LLVM-exception",
    "texinfo": "Texinfo-exception",
}

# GPL-2, LGPL-2.1+, GFDL-NIV-1.3+: GNU's licences, of which Debian writes "or later" as a plus sign.
_GNU = re.compile(
    r"(?P<name>agpl|gpl|lgpl|gfdl)(?P<niv>-niv)?-(?P<version>\d(\.\d)?)(\.0)?(?P<later>\+|-or-later|-only)?"
)

_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_OR = re.compile(r",?\s+(?:and/)?or\s+", re.IGNORECASE)
_COMMA = re.compile(r",\s*and\s+", re.IGNORECASE)
_WITH = re.compile(r"(?P<licence>\S+)\s+with\s+(?P<exception>.+?)(?:\s+exceptions?)?", re.IGNORECASE)
_OPERATORS = re.compile(r"\(|\)|\sAND\s|\sOR\s")

# The parser corrects small deviations, and would tell the person who builds an image about each.
logging.getLogger("debian.copyright").setLevel(logging.ERROR)


def licence_expression(copyright_text: str, source: str) -> str:
    """Return the SPDX expression that a copyright file stands for; `source` is the source package's name."""
    try:
        document = Copyright(copyright_text.splitlines(keepends=True), strict=False)
        found: list[Any] = [document.header.license, *(group.license for group in document.all_files_paragraphs())]
        synopses = {licence.synopsis for licence in found if licence is not None}
    except (Error, ValueError):
        synopses = set()
    terms = {term for synopsis in synopses if synopsis for term in _terms(synopsis)}
    return _join("AND", terms) if terms else _reference(source)


def licences_in(expression: str) -> tuple[str, ...]:
    """Return the single licences of an expression, each with its exception, sorted."""
    return tuple(sorted({part.strip() for part in _OPERATORS.split(expression) if part.strip()}))


def debian_name(licence: str) -> str:
    """Return what Debian would call the file with a licence's text in /usr/share/common-licenses."""
    name = licence.partition(" WITH ")[0]
    if name == "Artistic-1.0-Perl":
        return "Artistic"
    gnu = re.fullmatch(r"([AL]?GPL|GFDL)-(\d)\.(\d)(-no-invariants)?-(only|or-later)", name)
    if not gnu:
        return name
    # GPL-2 and LGPL-2.1, but GFDL-1.3 and AGPL-3.0.
    short = gnu[3] == "0" and gnu[1] != "AGPL"
    return f"{gnu[1]}-{gnu[2]}" if short else f"{gnu[1]}-{gnu[2]}.{gnu[3]}"


def _terms(synopsis: str) -> list[str]:
    """Return what has to be joined with AND: `A or B, and C` is (A or B) and C, `A or B and C` is A or (B and C)."""
    terms: list[str] = []
    for clause in _COMMA.split(synopsis.strip()):
        choices = [{_licence(name) for name in _AND.split(choice)} for choice in _OR.split(clause)]
        if len(choices) == 1:
            terms += choices[0]
        else:
            terms.append(_join("OR", {_join("AND", choice) for choice in choices}))
    return terms


def _join(operator: str, terms: set[str]) -> str:
    if len(terms) == 1:
        return next(iter(terms))
    return f" {operator} ".join(f"({term})" if _OPERATORS.search(term) else term for term in sorted(terms))


def _licence(name: str) -> str:
    if has_exception := _WITH.fullmatch(name):
        licence, exception = _licence(has_exception["licence"]), has_exception["exception"].lower()
        if exception in _EXCEPTIONS and not licence.startswith("LicenseRef-"):
            return f"{licence} WITH {_EXCEPTIONS[exception]}"
        return _reference(name)
    lower = name.lower()
    if gnu := _GNU.fullmatch(lower):
        version = gnu["version"] if "." in gnu["version"] else f"{gnu['version']}.0"
        invariants = "-no-invariants" if gnu["niv"] else ""
        later = "or-later" if gnu["later"] in ("+", "-or-later") else "only"
        return f"{gnu['name'].upper()}-{version}{invariants}-{later}"
    return _NAMES.get(lower) or fixup_id(name) or _reference(name)


def _reference(name: str) -> str:
    """Make a name of our own, of the characters that SPDX allows in one."""
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", name.replace("+", "plus")).strip("-")
