"""The version of the format of files that people write: looked at first, since in another one all else may differ."""

from builder.errors import BuilderError
from builder.profile.document import Document

SCHEMA_VERSION = 1


def check_schema(document: Document) -> None:
    """Raise a BuilderError unless the file says that it has the format which this builder reads."""
    hint = f"Write schema: {SCHEMA_VERSION}"
    if "schema" not in document.data:
        raise BuilderError(
            "schema, the version of the file format, is missing", hint=hint, location=document.locate(())
        )
    version = document.data["schema"]
    # True equals 1 in Python.
    if isinstance(version, bool) or version != SCHEMA_VERSION:
        message = f"this builder reads schema {SCHEMA_VERSION}, and the file says {version!r}"
        raise BuilderError(message, hint=hint, location=document.locate(("schema",)))
