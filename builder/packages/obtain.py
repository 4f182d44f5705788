"""From a package's name and hash to its file: out of the cache, or else from an archive's pool.

What has the wrong hash is never used, whoever kept it or sent it.
"""

from collections.abc import Iterable
from pathlib import Path

from builder import log
from builder.errors import BuilderError
from builder.fetch import NotThereError, cached_file, fetch_url, file_sha256
from builder.packages.package import PackageFile
from builder.toolchain import Archive
from builder.toolchain.cache import package_files


def obtain_packages(packages: Iterable[PackageFile], archive: Archive, cache: Path) -> dict[PackageFile, Path]:
    """Return each package's file, whole and with the right hash; the archive is asked only for what the cache lacks.

    Raises BuilderError with the list of those that are neither in the cache nor in the archive any more, and what
    `fetch_url` raises when the archive cannot be reached or sends something else.
    """
    found = {package: _cached(package, cache) for package in sorted(set(packages))}
    missing = [package for package, path in found.items() if path is None]
    if missing:
        megabytes = sum(package.size_bytes for package in missing) / 1e6
        with log.step(f"Fetching {len(missing)} packages ({megabytes:.0f} MB)"):
            found.update(_fetch(missing, archive))
    return {package: path for package, path in found.items() if path is not None}


def archived_name(package: PackageFile) -> str:
    """Return the name that apt gives a package in its cache; a colon would separate paths."""
    return f"{package.name}_{package.version.replace(':', '%3a')}_{package.architecture}.deb"


def _cached(package: PackageFile, cache: Path) -> Path | None:
    """Look where mkosi keeps what apt has downloaded, and where `fetch_url` keeps what it has."""
    apts = package_files(cache) / archived_name(package)
    if is_package(apts, package):
        return apts
    ours = cached_file(package.sha256)
    return ours if is_package(ours, package) else None


def is_package(path: Path, package: PackageFile) -> bool:
    """Say whether a file is there and is this package, to the last byte."""
    return path.is_file() and path.stat().st_size == package.size_bytes and file_sha256(path) == package.sha256


def _fetch(packages: Iterable[PackageFile], archive: Archive) -> dict[PackageFile, Path]:
    found, gone = {}, []
    for package in packages:
        url = f"{archive.url}/{package.filename}"
        try:
            found[package] = fetch_url(url, sha256=package.sha256, size_bytes=package.size_bytes, proxy=archive.proxy)
        except NotThereError:
            gone.append(f"  {package.name} {package.version} {package.architecture}")
    if gone:
        raise BuilderError(
            "the mirror no longer has these packages, and they are not in the cache:\n" + "\n".join(gone),
            hint="Name an archive of Debian's snapshots in the profile (`distribution:` `mirror:` and `snapshot:`), "
            "bring the cache from where they were used, or write the lock anew",
        )
    return found
