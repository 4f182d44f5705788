"""What an SBOM says, read back: which licences there are in an image, and where their texts are."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from builder.errors import BuilderError
from builder.sbom.account import Place
from builder.sbom.components import COMMON_LICENCE, LICENCE_TEXT, property_of
from builder.sbom.licences import debian_name, licences_in


@dataclass(frozen=True)
class LicenceUse:
    """A licence, what stands under it or has parts that do, and where its texts are in the image.

    `texts` begins with the image's own copy of a well-known licence, if it has one. `without_text` are the components
    for which there is neither that nor a text of their own.
    """

    licence: str
    components: tuple[str, ...]
    texts: tuple[str, ...]
    without_text: tuple[str, ...]


def read_sbom(path: Path) -> dict[str, Any]:
    """Read an SBOM that a build has written; raises BuilderError for anything else."""
    try:
        document = json.loads(path.read_text())
        if (document["bomFormat"], document["specVersion"]) != ("CycloneDX", "1.6"):
            raise ValueError("it is not CycloneDX 1.6")
        if not all(isinstance(component, dict) for component in document["components"]):
            raise ValueError("its components are malformed")
    except FileNotFoundError:
        hint = "Build the image again, or put the file that was built with it there"
        raise BuilderError(f"there is no SBOM {path}", hint=hint) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BuilderError(f"{path} is not the SBOM of an image: {error}", hint="Build the image again") from error
    return document  # type: ignore[no-any-return]


def list_licences(document: Mapping[str, Any]) -> tuple[LicenceUse, ...]:
    """List the single licences of all components, sorted by name; raises BuilderError if a build did not write them."""
    used = defaultdict[str, list[Mapping[str, Any]]](list)
    try:
        for component in filter(_is_there, document["components"]):
            for entry in component.get("licenses", ()):
                for licence in licences_in(entry["expression"]):
                    used[licence].append(component)
        copies = property_of(document["metadata"]["component"], COMMON_LICENCE)
        common = {PurePosixPath(path).name: path for path in copies}
        return tuple(_use(licence, used[licence], common) for licence in sorted(used))
    except (AttributeError, KeyError, TypeError) as error:
        hint = "Build the image again"
        raise BuilderError(
            f"the SBOM says something about licences that no build writes: {error!r}", hint=hint
        ) from error


def _is_there(component: Mapping[str, Any]) -> bool:
    """Say whether anything of a component is in the image: of some packages, only the initrd's builder has use."""
    counts = [value for place in Place for value in property_of(component, f"{place}-files")]
    return not counts or any(count != "0" for count in counts)


def _use(licence: str, components: Sequence[Mapping[str, Any]], common: Mapping[str, str]) -> LicenceUse:
    copies = [common[name] for name in [debian_name(licence)] if name in common]
    own = {component["name"]: property_of(component, LICENCE_TEXT) for component in components}
    return LicenceUse(
        licence=licence,
        components=tuple(sorted(own)),
        texts=(*copies, *sorted({text for texts in own.values() for text in texts})),
        without_text=tuple(sorted(name for name, texts in own.items() if not texts and not copies)),
    )
