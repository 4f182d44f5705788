"""What is in the image: its packages by size, and the licences of all its parts."""

from dataclasses import dataclass

from builder.deliver.report.inputs import Manifest, Package
from builder.sbom import LicenceUse

MOST_PACKAGES = 20
MOST_LICENCES = 16
MOST_NAMES = 3


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
    """A licence, and the first few parts of the image that have it."""

    use: LicenceUse
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many parts have it."""
        return len(self.use.components)

    @property
    def more(self) -> int:
        """How many of them are not named."""
        return self.count - len(self.names)


@dataclass(frozen=True)
class Licences:
    """The licences of most parts, and the names of all others."""

    usual: tuple[Licence, ...]
    others: tuple[str, ...]


def packages_by_size(manifest: Manifest) -> Packages:
    """Return the largest packages, and the others as one."""
    ordered = sorted(manifest.packages, key=lambda package: (-package.size, package.name))
    largest, rest = ordered[:MOST_PACKAGES], ordered[MOST_PACKAGES:]
    total = sum(package.size for package in ordered)
    return Packages(tuple(largest), len(rest), sum(package.size for package in rest), total)


def licences_by_use(uses: tuple[LicenceUse, ...]) -> Licences:
    """Return the licences by how many parts have them; a part with several licences counts for each."""
    ordered = sorted(uses, key=lambda use: (-len(use.components), use.licence))
    usual = tuple(Licence(use, use.components[:MOST_NAMES]) for use in ordered[:MOST_LICENCES])
    return Licences(usual, tuple(sorted(use.licence for use in ordered[MOST_LICENCES:])))
