"""A chat template is a program from a stranger: what it may hold, and what is refused without running it."""

from pathlib import Path

import pytest

from builder.errors import BuilderError, Location
from builder.model.chat_template import check_chat_template
from tests.support.gguf_file import TEMPLATE

AT = Location(Path("model.gguf"))

FINE = [
    TEMPLATE,
    "{{ bos_token }}{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.role }}{% endfor %}",
    "{%- macro t(m) %}<\uff5c{{ m.role | trim }}\uff5c>{% endmacro -%}{% for m in messages %}{{ t(m) }}{% endfor %}",
    "{% set ns = namespace(n=0) %}{% for m in messages %}{{ raise_exception('no') if m.x else m.content }}{% endfor %}",
    "{% for m in messages[:-1] %}{{ m.content | tojson(indent=2) }}\t{{ strftime_now('%d') }}\r\n{% endfor %}",
]


@pytest.mark.parametrize("text", FINE)
def test_what_models_use_is_fine(text: str) -> None:
    check_chat_template(text, AT)


REFUSED = [
    ("", "does not use messages"),
    ("#!/bin/sh\nrm -rf /\n", "does not use messages"),
    ("{{ message }}", "does not use messages"),
    ("{% for m in messages %}", "is not jinja: line 1: Unexpected end of template"),
    ("{{ messages }}{% generate %}", "Encountered unknown tag 'generate'"),
    # Reaching for more than the messages
    ("{{ messages.__class__.__mro__ }}", "reaches for __mro__ in line 1|reaches for __class__ in line 1"),
    ("{{ messages['__class__'] }}", "reaches for __class__"),
    ("{{ messages | attr('__class__') }}", "reaches for attr"),
    ("{{ messages }}{{ _self }}", "reaches for _self"),
    ("{{ messages }}{% include '/etc/shadow' %}", "wants another file in line 1"),
    ("\n{% extends messages %}", "wants another file in line 2"),
    ("{% import 'os' as os %}{{ messages }}", "wants another file"),
    ("{% from 'os' import system %}{{ messages }}", "wants another file"),
    # What a person who reads it does not see
    ("{{ messages }}\x1b[2J", "has the character U+001B, which nobody sees"),
    ("{{ messages }}\0", "has the character U+0000"),
    ("{{ messages }}\u202e", "has the character U+202E"),
    ("{{ messages }}\u2066", "has the character U+2066"),
    ("{{ messages }}\ue000", "has the character U+E000"),
    ("{{ messages }}\ud800", "has the character U+D800"),
    # Against the parser
    ("{{ messages }}" + "x" * (1 << 17), "is longer than 128 KiB"),
    ("{{ messages }}" + "{{ " + "(" * 5000, "cannot be read: RecursionError"),
    ("{{ messages }}" + "{{ " + "9" * 5000 + " }}", "cannot be read: ValueError"),
    ("{{ messages }}" + "{{ a }}b" * 9000, "has more than 10000 parts"),
    ("{{ messages }}" + "{% if a %}" * 3000, "cannot be read: RecursionError|is not jinja"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_anything_else_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BuilderError) as refused:
        check_chat_template(text, AT)
    assert any(part in refused.value.message for part in reason.split("|")), refused.value.message
    assert refused.value.location == AT
