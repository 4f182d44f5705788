"""Two images, compared: every difference by its place, and a summary of what a person looks for first."""

from collections.abc import Mapping
from dataclasses import dataclass

from builder import log
from builder.compare.difference import Difference
from builder.compare.image import image_node
from builder.compare.node import Node, compare
from builder.compare.subject import Subject
from builder.compare.summary import Change, changes, kernel_arguments, sizes, units
from builder.errors import BuilderError
from builder.verify.disk import open_disk
from builder.verify.formats.malformed import MalformedError


@dataclass(frozen=True)
class Comparison:
    """`packages` and `licences` are None when an image has no list of them beside it."""

    packages: tuple[Change, ...] | None
    licences: tuple[Change, ...] | None
    kernel_arguments: tuple[Change, ...]
    units: tuple[Change, ...]
    sizes: tuple[Change, ...]
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether the images, and the lists beside them, say the same."""
        return not (self.differences or self.packages or self.licences)


def compare_images(a: Subject, b: Subject) -> Comparison:
    """Compare two images and the lists beside them. BuilderError if one of them has no partition table."""
    with open_disk(a.image) as left, open_disk(b.image) as right, log.step(f"Comparing {a.image} with {b.image}"):
        nodes = image_node(left), image_node(right)
        both_sizes = [_sizes(node, subject) for node, subject in zip(nodes, (a, b), strict=True)]
        differences = tuple(compare(*nodes))
        return Comparison(
            packages=_packages(a, b),
            licences=_listed(a.licences, b.licences),
            kernel_arguments=changes(*map(kernel_arguments, nodes)),
            units=tuple(units(differences)),
            sizes=changes(*both_sizes),
            differences=differences,
        )


def _sizes(image: Node, subject: Subject) -> Mapping[str, str]:
    try:
        return sizes(image)
    except MalformedError as error:
        hint = "Name an image that was built here, for example build/qemu/out"
        raise BuilderError(f"{subject.image} is not a disk image of ours: {error.what}", hint=hint) from error


def _packages(a: Subject, b: Subject) -> tuple[Change, ...] | None:
    """Compare lists of the same kind: a manifest has the root's packages only."""
    locked = _listed(a.locked_packages, b.locked_packages)
    return _listed(a.root_packages, b.root_packages) if locked is None else locked


def _listed(a: Mapping[str, str] | None, b: Mapping[str, str] | None) -> tuple[Change, ...] | None:
    return None if a is None or b is None else changes(a, b)
