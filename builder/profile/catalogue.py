"""The catalogue of models: one YAML file a model, as strictly read as a profile.

    entry = load_model("smollm2-135m")
    entry.model.id                          # "smollm2-135m_1"
    entry.model.memory_bytes(2048)          # what it needs with a context of that many tokens

What the file of weights says about itself (architecture, parameters, context, …) stands here too, so that a list of
models needs no download; a build reads the file again, and refuses an entry that says something else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from builder.errors import BuilderError, Location
from builder.profile.document import load_document
from builder.profile.fields import FilledList, Language, Sha256
from builder.profile.nearest import nearest
from builder.profile.schema_version import check_schema
from builder.profile.source import Content
from builder.profile.validate import StrictModel, refuse, validate

MODELS = "models"
SUFFIX = ".yaml"
LABEL_PREFIX = "claudine-model_"
# A GPT partition's name holds 36 UTF-16 code units (UEFI specification, "GPT Partition Entry").
MAX_LABEL = 36


class Licence(StrictModel):
    """What the weights may be used for."""

    id: str = Field(
        pattern="^[A-Za-z0-9][A-Za-z0-9.+-]*$",
        description="SPDX identifier of the weights' licence; LicenseRef-NAME for one that SPDX does not list.",
        examples=["Apache-2.0"],
    )
    text: Content = Field(description="The licence's full text, which the model image carries.")
    notice: str | None = Field(
        None, min_length=1, description="What the licence wants to be told to whoever gets the model."
    )


class Model(StrictModel):
    """A language model: what it is called, where its weights are, and what they need."""

    schema_version: Literal[1] = Field(alias="schema", description="Version of this file format.", examples=[1])
    name: str = Field(
        pattern="^[a-z0-9][a-z0-9.-]*$",
        description="Name of the model, which is that of its file without .yaml: lower-case letters, digits, dots and "
        "dashes.",
        examples=["smollm2-135m"],
    )
    version: str = Field(
        pattern="^[0-9A-Za-z][0-9A-Za-z.]*$",
        description="Version of the model image: ASCII letters, digits and dots. Raise it when anything here changes.",
        examples=["1"],
    )
    title: str = Field(
        min_length=1,
        max_length=80,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Name of the model as its makers write it, in one line of at most 80 characters.",
        examples=["SmolLM2 135M Instruct"],
    )
    licence: Licence
    languages: FilledList[Language] = Field(
        description="List of the languages that it was trained for.", examples=[["en", "de"]]
    )
    weights: Content = Field(description="The weights, a GGUF file.")
    architecture: str = Field(
        min_length=1, description="Architecture, as the file's general.architecture says.", examples=["llama"]
    )
    parameters: int = Field(gt=0, description="How many numbers the model consists of.", examples=[134515008])
    quantisation: str = Field(
        pattern="^[A-Z0-9_]+$", description="How most weights are stored, as llama.cpp calls it.", examples=["Q4_1"]
    )
    context_tokens: int = Field(
        ge=256, description="Length in tokens of the conversations that it was trained on.", examples=[8192]
    )
    chat_template: str | None = Field(
        None, min_length=1, description="Chat template (jinja) for weights whose file has none."
    )
    chat_template_sha256: Sha256 = Field(
        description="SHA-256 of the chat template: 64 digits, 0-9 and a-f in lower case."
    )
    kv_bytes_per_token: int = Field(
        ge=0,
        description="Memory in bytes that a token of the conversation takes (K and V of all layers, 16 bits each).",
        examples=[23040],
    )
    compute_bytes: int = Field(
        ge=0, description="Memory in bytes beside weights and conversation, estimated.", examples=[134217728]
    )

    @property
    def id(self) -> str:
        """Name and version: what the model's image, its partition and its unit are named by."""
        return f"{self.name}_{self.version}"

    @property
    def label(self) -> str:
        """Name of its partition in a system image."""
        return f"{LABEL_PREFIX}{self.id}"

    def memory_bytes(self, context_tokens: int) -> int:
        """Return the memory that the model needs for conversations of so many tokens."""
        return self.weights.size_bytes + self.compute_bytes + self.kv_bytes_per_token * context_tokens

    @model_validator(mode="after")
    def _label_fits(self) -> "Model":
        if len(self.label) > MAX_LABEL:
            message = f"makes the partition label {self.label}, which has more than {MAX_LABEL} characters"
            raise refuse(message, hint="Shorten it, or the version", at=("name",))
        return self


@dataclass(frozen=True)
class CatalogueEntry:
    """A model, and the file that describes it."""

    model: Model
    path: Path

    def beside(self, relative: str) -> Path:
        """Give the path that the file means by `relative`."""
        return self.path.parent / relative


def load_model(name: str, folders: Iterable[Path], named_at: Location | None = None) -> CatalogueEntry:
    """Load the entry `name` from the first of the folders that has it; raises BuilderError, at `named_at` if none has.

    A value with a slash, or one that ends in .yaml, is the path of the entry's file.
    """
    if "/" in name or name.endswith(SUFFIX):
        return _read(Path(name))
    folders = tuple(folders)
    for folder in folders:
        if (path := folder / f"{name}{SUFFIX}").exists():
            return _read(path)
    hint = nearest(name, (path.stem for folder in folders for path in folder.glob(f"*{SUFFIX}")), what="Models")
    raise BuilderError(f"there is no model {name!r} in the catalogue", hint=hint, location=named_at)


def list_models(folders: Iterable[Path]) -> tuple[CatalogueEntry, ...]:
    """Load all entries of the folders, by name; of two with one name, that of the earlier folder."""
    paths: dict[str, Path] = {}
    for folder in folders:
        for path in folder.glob(f"*{SUFFIX}"):
            paths.setdefault(path.stem, path)
    return tuple(_read(paths[name]) for name in sorted(paths))


def model_schema() -> dict[str, Any]:
    """Describe an entry as JSON Schema, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Model.model_json_schema(by_alias=True)}


def _read(path: Path) -> CatalogueEntry:
    document = load_document(path)
    check_schema(document)
    model = validate(document, Model)
    if model.name != path.stem:
        hint = f"Write name: {path.stem}, or rename the file to {model.name}{SUFFIX}"
        message = f"the model is named {model.name!r}, its file {path.name!r}"
        raise BuilderError(message, hint=hint, location=document.locate(("name",)))
    return CatalogueEntry(model, path)
