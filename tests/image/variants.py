"""Images that differ from the one that ships in one point, for what that one cannot show."""

from pathlib import Path

from builder.image import BuildLayout, build_image
from builder.keys import load_or_create_throwaway
from builder.profile import load_profile
from builder.vm.disk_image import DiskImage, open_disk_image

BUILD_DIRECTORY = Path(__file__).parents[2] / "build"


def build_variant(profile: Path) -> DiskImage:
    """Build the image of a test's own profile, or return the last build if nothing has changed since."""
    resolved = load_profile(str(profile))
    layout = BuildLayout(BUILD_DIRECTORY, resolved.profile.name)
    artifacts = build_image(resolved, load_or_create_throwaway(layout.throwaway_keys), layout)
    return open_disk_image(layout.out / artifacts.image)
