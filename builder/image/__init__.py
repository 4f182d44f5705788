"""Building: run mkosi on a rendered tree and collect what it made.

artifacts = build_image(resolved, keys, layout)      # build/<profile>/out/
artifacts = Artifacts.read(layout.out)               # the same, later
"""

from builder.image.artifacts import Artifacts, OwnerCertificate, Partition
from builder.image.build import BuildLayout, build_image, lock_image

__all__ = ["Artifacts", "BuildLayout", "OwnerCertificate", "Partition", "build_image", "lock_image"]
