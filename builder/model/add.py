"""A catalogue entry for a file of weights that somebody has, or that is at a web address.

    added = describe(origin, wishes)         # what the file says, and what is said about it
    write_entry(added, Path("models"))       # models/NAME.yaml

What a file does not say, such as which licence its text is, a person has to.
"""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from builder.errors import BuilderError, Location
from builder.fetch import fetch_new, file_sha256
from builder.model.facts import ModelFacts, read_facts
from builder.model.weights import template_sha256
from builder.profile.catalogue import SUFFIX, CatalogueEntry, load_model
from builder.profile.schema_version import SCHEMA_VERSION

COMMON_LICENCES = Path("/usr/share/common-licenses")

# The names that models are published under are SPDX's in small letters, or nobody's.
_SPDX = {
    spdx.lower(): spdx
    for spdx in ("Apache-2.0", "MIT", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "OpenRAIL")
} | {"gemma": "LicenseRef-Gemma"}


@dataclass(frozen=True)
class Wishes:
    """What a person says about the model in place of the file, or beside it; None where they say nothing."""

    name: str | None = None
    version: str = "1"
    title: str | None = None
    licence: str | None = None
    licence_text: str | None = None
    languages: tuple[str, ...] = ()
    sha256: str | None = None


@dataclass(frozen=True)
class Origin:
    """A file's source as an entry has it, the file itself, and its SHA-256."""

    source: Mapping[str, Any]
    path: Path
    sha256: str

    def as_entry(self) -> dict[str, Any]:
        """Return the `Content` that names the file."""
        return {"source": dict(self.source), "sha256": self.sha256, "size_bytes": self.path.stat().st_size}


def origin_of(file_or_url: str) -> Origin:
    """Find a file, or download it; raises BuilderError if there is none, ToolError if it cannot be reached."""
    if re.match("https?://", file_or_url):
        if not file_or_url.startswith("https://"):
            raise BuilderError(
                f"{file_or_url} is not fetched: anybody on the way could change it", hint="Use an https:// address"
            )
        path, sha256 = fetch_new(file_or_url)
        return Origin({"https": {"url": file_or_url}}, path, sha256)
    path = Path(file_or_url)
    if not path.is_file():
        raise BuilderError(f"{path} is not a file", hint="Name a GGUF file, or an address that starts with https://")
    return Origin({"file": {"path": str(path.absolute())}}, path, file_sha256(path))


def describe(origin: Origin, wishes: Wishes) -> tuple[dict[str, Any], ModelFacts]:
    """Return a catalogue entry's data and what the file says; raises BuilderError if the file is not to be used."""
    if wishes.sha256 is not None and origin.sha256 != wishes.sha256:
        raise BuilderError(f"it has the SHA-256 {origin.sha256}, expected {wishes.sha256}")
    facts = read_facts(origin.path)
    if not facts.chat_template:
        raise BuilderError(
            "it has no chat template, so nobody could talk with it",
            hint="Take a model that was trained to answer; their names often end in Instruct, Chat or it",
            location=Location(origin.path),
        )
    title = wishes.title or facts.title or origin.path.stem
    data = {
        "schema": SCHEMA_VERSION,
        "name": wishes.name or short_name(title),
        "version": wishes.version,
        "title": title,
        "licence": _licence(facts, wishes, origin.path),
        "languages": list(wishes.languages or facts.languages) or ["en"],
        "weights": origin.as_entry(),
        "architecture": facts.architecture,
        "parameters": facts.parameters,
        "quantisation": facts.quantisation,
        "context_tokens": facts.context_tokens,
        "chat_template_sha256": template_sha256(facts.chat_template),
        "kv_bytes_per_token": facts.kv_bytes_per_token,
        "compute_bytes": facts.compute_bytes,
    }
    return data, facts


def write_entry(data: Mapping[str, Any], directory: Path) -> CatalogueEntry:
    """Write an entry into the catalogue folder and load it; raises BuilderError if there is one of that name.

    What would not load as an entry is not kept.
    """
    path = directory / f"{data['name']}{SUFFIX}"
    if path.exists():
        hint = "Give it another name with --name, or remove the file"
        raise BuilderError("there is such a model already", hint=hint, location=Location(path))
    directory.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=120)
    with tempfile.TemporaryDirectory(dir=directory, prefix=".new-") as scratch:
        written = Path(scratch) / path.name
        written.write_text(text)
        load_model(str(written), ())
        written.rename(path)
    return load_model(str(path), ())


def short_name(title: str) -> str:
    """Make a name that fits a partition's label out of what a model is called."""
    return re.sub("[^a-z0-9.]+", "-", title.lower()).strip("-.")[:19].strip("-.") or "model"


def _licence(facts: ModelFacts, wishes: Wishes, path: Path) -> dict[str, Any]:
    spdx = wishes.licence or _SPDX.get(facts.licence.lower())
    if spdx is None:
        said = f"it says {facts.licence!r}" if facts.licence else "it does not say which licence it has"
        hint = "Give its SPDX identifier with --licence, for example --licence Apache-2.0"
        raise BuilderError(f"{said}, and a model image must", hint=hint, location=Location(path))
    text = wishes.licence_text or str(COMMON_LICENCES / spdx)
    if wishes.licence_text is None and not Path(text).is_file():
        raise BuilderError(
            f"the text of {spdx} is not on this machine, and a model image carries its licence",
            hint="Name a file or an https:// address that has it: --licence-text FILE",
            location=Location(path),
        )
    return {"id": spdx, "text": origin_of(text).as_entry()}
