"""Where in our cache mkosi and apt keep packages."""

from pathlib import Path


def packages_directory(cache: Path) -> Path:
    """Return the directory in which mkosi keeps the packages that it has downloaded."""
    directory = cache / "packages"
    directory.mkdir(exist_ok=True)
    return directory


def package_files(cache: Path) -> Path:
    """Return the directory that has the .deb files themselves, under the names that apt gives them."""
    return packages_directory(cache) / "cache/apt/archives"
