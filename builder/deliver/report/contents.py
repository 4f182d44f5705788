"""What is in the image: its packages by size, and the licences of all its parts."""

from collections import defaultdict
from dataclasses import dataclass

from builder.deliver.report.inputs import BillOfMaterials, Component, LicenceChoice, Manifest, Package

MOST_PACKAGES = 20
MOST_NAMES = 6
NO_LICENCE = "not said"


@dataclass(frozen=True)
class Packages:
    """The largest packages; `rest_bytes` is what all others take together. Sizes are those on a disk, installed."""

    largest: tuple[Package, ...]
    rest: int
    rest_bytes: int
    total_bytes: int

    @property
    def longest_bytes(self) -> int:
        """What the longest bar stands for."""
        return max([1, self.rest_bytes, *(package.size for package in self.largest)])

    @property
    def count(self) -> int:
        """How many packages there are."""
        return len(self.largest) + self.rest


@dataclass(frozen=True)
class Licence:
    """A licence, and what has it: how many parts, and the names of the first few."""

    name: str
    count: int
    names: tuple[str, ...]

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.names)


def packages_by_size(manifest: Manifest) -> Packages:
    """Return the largest packages, and the others as one."""
    ordered = sorted(manifest.packages, key=lambda package: (-package.size, package.name))
    largest, rest = ordered[:MOST_PACKAGES], ordered[MOST_PACKAGES:]
    total = sum(package.size for package in ordered)
    return Packages(tuple(largest), len(rest), sum(package.size for package in rest), total)


def licences(sbom: BillOfMaterials) -> tuple[Licence, ...]:
    """Return the licences by how many parts have them; a part with several licences counts for each."""
    holders: dict[str, set[str]] = defaultdict(set)
    for component in sbom.components:
        for licence in _names(component):
            holders[licence].add(component.name)
    listed = [Licence(name, len(parts), tuple(sorted(parts)[:MOST_NAMES])) for name, parts in holders.items()]
    return tuple(sorted(listed, key=lambda licence: (licence.name == NO_LICENCE, -licence.count, licence.name)))


def _names(component: Component) -> set[str]:
    """Files have the licence of what they are a part of, where they say nothing."""
    named = {_name(choice) for choice in component.licenses} - {""}
    return named or (set() if component.type == "file" else {NO_LICENCE})


def _name(choice: LicenceChoice) -> str:
    return choice.expression or (choice.license and (choice.license.id or choice.license.name)) or ""
