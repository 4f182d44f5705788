"""Licences from Debian's copyright files, in SPDX's words."""

import pytest
from cyclonedx.spdx import is_supported_id

from builder.sbom.licences import debian_name, licence_expression, licences_in

HEADER = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"


def machine_readable(*synopses: str) -> str:
    groups = (f"Files: {i}/*\nCopyright: somebody\nLicense: {synopsis}\n" for i, synopsis in enumerate(synopses))
    return HEADER + "\n".join(groups)


ONE_GROUP = [
    ("Expat", "MIT"),
    ("expat", "MIT"),
    ("BSD-3-clause", "BSD-3-Clause"),
    ("ISC", "ISC"),
    ("GPL-2", "GPL-2.0-only"),
    ("GPL-2+", "GPL-2.0-or-later"),
    ("GPL-2.0-only", "GPL-2.0-only"),
    ("LGPL-2.1+", "LGPL-2.1-or-later"),
    ("LGPL-3.0+", "LGPL-3.0-or-later"),
    ("GFDL-1.3", "GFDL-1.3-only"),
    ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
    ("Artistic", "Artistic-1.0-Perl"),
    ("GPL-2 with Linux-syscall-note exception", "GPL-2.0-only WITH Linux-syscall-note"),
    ("Apache-2.0 with LLVM exception", "Apache-2.0 WITH LLVM-exception"),
    ("A-name of their own", "LicenseRef-A-name-of-their-own"),
    ("GPL-2+ with OpenSSL exception", "LicenseRef-GPL-2plus-with-OpenSSL-exception"),
    ("public-domain", "LicenseRef-public-domain"),
    # GPL alone says nothing about the version.
    ("GPL", "LicenseRef-GPL"),
    # and binds stronger than or, unless there is a comma.
    ("GPL-1+ or Artistic", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
    ("Expat and ISC", "ISC AND MIT"),
    ("Expat or ISC and Zlib", "(ISC AND Zlib) OR MIT"),
    ("Expat or ISC, and Zlib", "(ISC OR MIT) AND Zlib"),
    ("Expat, or ISC", "ISC OR MIT"),
    ("FSFULLR and/or Zlib", "FSFULLR OR Zlib"),
    ("LGPL-3+ OR GPL-2+", "GPL-2.0-or-later OR LGPL-3.0-or-later"),
]


@pytest.mark.parametrize(("synopsis", "expression"), ONE_GROUP)
def test_a_licence_has_the_name_that_spdx_gives_it(synopsis: str, expression: str) -> None:
    assert licence_expression(machine_readable(synopsis), "tool") == expression
    for licence in licences_in(expression):
        for name in licence.split(" WITH "):
            assert name.startswith("LicenseRef-") or is_supported_id(name)


def test_a_package_stands_under_the_licences_of_all_its_parts() -> None:
    text = machine_readable("GPL-2+", "Expat", "Expat or GPL-2+", "Expat")
    assert licence_expression(text, "tool") == "GPL-2.0-or-later AND (GPL-2.0-or-later OR MIT) AND MIT"


UNREADABLE = ["This is curl, and you may do what you like.\n", "", HEADER, "Format: nonsense\nno: colon\n\n\n:::\n"]


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_text_that_no_machine_can_read_is_named_by_its_source(text: str) -> None:
    assert licence_expression(text, "libstdc++") == "LicenseRef-libstdcplusplus"


def test_an_expression_falls_into_single_licences() -> None:
    expression = "(GPL-2.0-only WITH Linux-syscall-note OR MIT) AND (ISC AND MIT)"
    assert licences_in(expression) == ("GPL-2.0-only WITH Linux-syscall-note", "ISC", "MIT")


COMMON = [
    ("GPL-2.0-or-later", "GPL-2"),
    ("LGPL-2.1-only", "LGPL-2.1"),
    ("LGPL-3.0-or-later", "LGPL-3"),
    ("GFDL-1.3-no-invariants-only", "GFDL-1.3"),
    ("AGPL-3.0-only", "AGPL-3.0"),
    ("Apache-2.0 WITH LLVM-exception", "Apache-2.0"),
    ("Artistic-1.0-Perl", "Artistic"),
    ("MIT", "MIT"),
]


@pytest.mark.parametrize(("licence", "name"), COMMON)
def test_debians_own_copies_are_found_by_the_licence(licence: str, name: str) -> None:
    assert debian_name(licence) == name
