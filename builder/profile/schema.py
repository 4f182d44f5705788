"""JSON Schema of a profile file, so that an editor completes keys and marks mistakes while they are typed."""

from typing import Any

from builder.profile.model import Profile

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What no file can leave to the profile that it extends.
REQUIRED = ["schema", "name", "description"]


def json_schema() -> dict[str, Any]:
    """Describe one file, which may leave keys to the profile that it extends; so sections require none."""
    schema = Profile.model_json_schema(by_alias=True)
    for section in schema["$defs"].values():
        section.pop("required", None)
    return {"$schema": DIALECT, **schema, "required": REQUIRED}
