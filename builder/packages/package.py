"""One binary package, as an index of the Debian archive describes it (deb822(5), Debian Policy 5)."""

import re
from dataclasses import dataclass

# The field Source of a binary package, when its source has another name or version: NAME (VERSION).
_SOURCE = re.compile(r"(?P<name>\S+)(?: \((?P<version>[^)]+)\))?")


@dataclass(frozen=True, order=True)
class PackageFile:
    """A .deb: `sha256` and `size_bytes` are the file's, `filename` is its path below the archive's address."""

    name: str
    version: str
    architecture: str
    sha256: str
    size_bytes: int
    filename: str

    @property
    def component(self) -> str:
        """The part of the archive that it is from: main, or non-free-firmware. The pool is laid out by them."""
        return self.filename.split("/")[1]

    @property
    def identity(self) -> tuple[str, str, str]:
        """What tells packages apart in one archive."""
        return self.name, self.version, self.architecture


@dataclass(frozen=True, order=True)
class Package(PackageFile):
    """A .deb, and the source package that it was built from."""

    source: str
    source_version: str

    @property
    def file(self) -> PackageFile:
        """The .deb alone."""
        return PackageFile(*self.identity, self.sha256, self.size_bytes, self.filename)


def parse_stanza(text: str) -> Package:
    """Read a package's entry in an index; raises KeyError or ValueError when a field is missing or malformed."""
    stanza = fields(text)
    name, version = stanza["Package"], stanza["Version"]
    source = _SOURCE.fullmatch(stanza.get("Source", name))
    if source is None:
        raise ValueError(f"the source of {name} is malformed")
    return Package(
        name=name,
        version=version,
        architecture=stanza["Architecture"],
        sha256=stanza["SHA256"],
        size_bytes=int(stanza["Size"]),
        filename=stanza["Filename"],
        source=source["name"],
        source_version=source["version"] or version,
    )


def fields(stanza: str) -> dict[str, str]:
    """Split one paragraph of control data into its fields. Of a field with several lines, only the first is kept."""
    lines = (line.split(":", 1) for line in stanza.splitlines() if line and not line[0].isspace() and ":" in line)
    return {name: value.strip() for name, value in lines}
