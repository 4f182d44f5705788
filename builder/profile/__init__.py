"""A profile: strict YAML with line numbers → one frozen value that says everything about an image.

    resolved = load_profile("qemu")
    resolved.profile.image.version
    resolved.origins[("image", "version")]

`document` and `validate` serve other files that people write, too: an overlay's `overlay.yaml`.
"""

from builder.profile.catalogue import CatalogueEntry, Model, list_models, load_model, model_schema
from builder.profile.document import Document, KeyPath, dotted, load_document
from builder.profile.load import (
    PROFILES_DIR,
    ProfileSummary,
    ResolvedProfile,
    list_profiles,
    load_profile,
    model_folders,
)
from builder.profile.model import Profile
from builder.profile.nearest import nearest
from builder.profile.schema import json_schema
from builder.profile.show import origins_to_data, to_data, to_yaml
from builder.profile.source import Content, FileSource, HttpsSource, WheelMember
from builder.profile.validate import StrictModel, refuse, validate

__all__ = [
    "PROFILES_DIR",
    "CatalogueEntry",
    "Content",
    "Document",
    "FileSource",
    "HttpsSource",
    "KeyPath",
    "Model",
    "Profile",
    "ProfileSummary",
    "ResolvedProfile",
    "StrictModel",
    "WheelMember",
    "dotted",
    "json_schema",
    "list_models",
    "list_profiles",
    "load_document",
    "load_model",
    "load_profile",
    "model_folders",
    "model_schema",
    "nearest",
    "origins_to_data",
    "refuse",
    "to_data",
    "to_yaml",
    "validate",
]
