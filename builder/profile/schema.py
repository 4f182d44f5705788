"""JSON Schema of a profile file, so that an editor completes keys and marks mistakes while they are typed."""

from typing import Any

from builder.profile.model import Profile
from builder.profile.source import FileSource, HttpsSource, PypiSource

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What no file can leave to the profile that it extends.
REQUIRED = ["schema", "name", "description"]
_WHOLE = {source.__name__ for source in (FileSource, HttpsSource, PypiSource)}


def json_schema() -> dict[str, Any]:
    """Describe one file, which may leave keys to the profile that it extends; so sections require none."""
    schema = Profile.model_json_schema(by_alias=True)
    for name, section in schema["$defs"].items():
        if name not in _WHOLE:
            section.pop("required", None)
    return {"$schema": DIALECT, **schema, "required": REQUIRED}
