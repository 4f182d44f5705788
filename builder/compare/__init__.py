"""What differs between two images, from the partition table down to a file's mode or a kernel argument.

    comparison = compare_images(find_subject(Path("build/qemu/out")), find_subject(Path("release.raw")))
    comparison.differences[0].place      # ("root", "/usr/lib/os-release")

    found = reproduce(image, work, keys)        # builds the image again, elsewhere, and compares
    found.builds.parts[0]                       # Part(name="ESP", differences=())

Images are read as `builder.verify` reads them: no mounts, no root, no other program.
"""

from builder.compare.builds import Builds, Part
from builder.compare.difference import Difference
from builder.compare.images import Comparison, compare_images
from builder.compare.reproduce import Reproduction, reproduce
from builder.compare.subject import Subject, find_subject
from builder.compare.summary import Change

__all__ = [
    "Builds",
    "Change",
    "Comparison",
    "Difference",
    "Part",
    "Reproduction",
    "Subject",
    "compare_images",
    "find_subject",
    "reproduce",
]
