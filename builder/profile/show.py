"""A resolved profile for people and programs to read.

What is shown stands alone: it no longer extends another profile, and loads as the same profile again.
"""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from builder.profile.document import KeyPath, dotted
from builder.profile.load import ResolvedProfile

ORIGIN_COLUMN = 60


def to_data(resolved: ResolvedProfile) -> dict[str, Any]:
    """Give the profile as plain data that JSON and YAML can hold, in the order of the format."""
    return resolved.profile.model_dump(mode="json", by_alias=True, exclude={"extends"})


def origins_to_data(resolved: ResolvedProfile) -> dict[str, str]:
    """Say for each value where it was written: `{"boot.console[0]": "profiles/base.yaml:31:14", …}`."""
    return {dotted(key_path): str(resolved.origins[key_path]) for key_path, _leaf in _leaves(to_data(resolved))}


def to_yaml(resolved: ResolvedProfile, *, origins: bool = False) -> str:
    """Write the profile as YAML; with `origins`, each value says in a comment which file and line it is from."""
    lines = []
    for key_path, line in _lines(to_data(resolved)):
        if origins and key_path is not None:
            place = resolved.origins[key_path]
            # Within a family each name occurs once, so the file's name is enough.
            line = f"{line:<{ORIGIN_COLUMN}}  # {place.path.name}:{place.line}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _lines(value: Any, at: KeyPath = ()) -> Iterator[tuple[KeyPath | None, str]]:
    """Spell a mapping or list in lines, each with the key path of the value that it holds, if it holds one."""
    indent = "  " * len(at)
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in entries:
        start = f"{indent}{key}:" if isinstance(value, dict) else f"{indent}-"
        if isinstance(entry, dict | list) and entry:
            yield None, start
            yield from _lines(entry, (*at, key))
        else:
            yield (*at, key), f"{start} {_scalar(entry)}"


def _leaves(value: Any, at: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    if not (isinstance(value, dict | list) and value):
        yield at, value
        return
    for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _leaves(entry, (*at, key))


def _scalar(value: Any) -> str:
    """Spell one value in one line; text is quoted where any version of YAML would take it for something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain: str = yaml.safe_dump(value, width=10**9, allow_unicode=True)
    return plain.splitlines()[0]
