"""Which image this machine was started from."""

from pathlib import Path

from claudine.text import printable


def version(root: Path = Path("/")) -> str:
    """Return name and version of the image, such as ``claudineos 0.1.0``; empty where there is none."""
    lines = _read(root / "etc/os-release").splitlines()
    names = {name: value.strip("\"'") for name, _, value in (line.partition("=") for line in lines)}
    return " ".join(filter(None, (names.get("IMAGE_ID"), names.get("IMAGE_VERSION"))))


def root_hash(root: Path = Path("/")) -> str:
    """Return the root hash from the kernel's command line, which is signed; empty where there is none."""
    words = _read(root / "proc/cmdline").split()
    return next((word.removeprefix("roothash=") for word in words if word.startswith("roothash=")), "")


def _read(path: Path) -> str:
    try:
        return printable(path.read_text(errors="replace"))
    except OSError:
        return ""
