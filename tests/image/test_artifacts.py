"""The artifacts themselves, before anything boots."""

import subprocess
import sys
from pathlib import Path

from builder.image import BuildLayout
from builder.vm.disk_image import DiskImage


def test_another_build_elsewhere_gives_the_same_bytes(image: DiskImage, tmp_path: Path) -> None:
    """Same profile, same keys, another path, everything but the installed packages made anew; signatures included."""
    built = BuildLayout(image.path.parents[2], image.path.parents[1].name)
    again = BuildLayout(tmp_path, built.profile)
    keys = str(built.throwaway_keys)
    command = [
        sys.executable,
        "-m",
        "builder.cli",
        "build",
        built.profile,
        "--keys",
        keys,
        "--build-dir",
        str(tmp_path),
    ]
    subprocess.run(command, check=True, capture_output=True)
    assert (again.out / "SHA256SUMS").read_text() == (built.out / "SHA256SUMS").read_text()
