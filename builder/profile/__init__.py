"""A profile: strict YAML with line numbers → one frozen value that says everything about an image.

    resolved = load_profile("qemu")
    resolved.profile.image.version
    resolved.origins[("image", "version")]

`document` and `validate` serve other files that people write, too: an overlay's `overlay.yaml`.
"""

from builder.profile.document import Document, KeyPath, dotted, load_document
from builder.profile.load import PROFILES_DIR, ProfileSummary, ResolvedProfile, list_profiles, load_profile
from builder.profile.model import Profile
from builder.profile.nearest import nearest
from builder.profile.schema import json_schema
from builder.profile.show import origins_to_data, to_data, to_yaml
from builder.profile.source import FileSource, HttpsSource, PypiSource
from builder.profile.validate import StrictModel, refuse, validate

__all__ = [
    "PROFILES_DIR",
    "Document",
    "FileSource",
    "HttpsSource",
    "KeyPath",
    "Profile",
    "ProfileSummary",
    "PypiSource",
    "ResolvedProfile",
    "StrictModel",
    "dotted",
    "json_schema",
    "list_profiles",
    "load_document",
    "load_profile",
    "nearest",
    "origins_to_data",
    "refuse",
    "to_data",
    "to_yaml",
    "validate",
]
