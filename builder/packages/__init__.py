"""The Debian packages that something was made of, each with the hash that Debian's signed indices gave it.

    found = installed_packages(trees)       # Installed(root=(Package(…), …), initrd=(…))
    found.root[0].sha256, found.root[0].source

`lock` writes them down and fetches them again, the SBOM accounts for them.
"""

from builder.packages.installed import Installed, PackageTrees, installed_packages, packages_of
from builder.packages.obtain import obtain_packages
from builder.packages.package import Package, PackageFile, parse_stanza
from builder.packages.repository import ChosenArchive, describe

__all__ = [
    "ChosenArchive",
    "Installed",
    "Package",
    "PackageFile",
    "PackageTrees",
    "describe",
    "installed_packages",
    "obtain_packages",
    "packages_of",
    "parse_stanza",
]
