"""What a build has really used, and whether that is what it was held to."""

from pathlib import Path

from builder.errors import BuilderError
from builder.image.inputs import BuildInputs
from builder.image.mkosi import package_trees
from builder.lock import Lock, lock_differences, lock_of, refuse_differences
from builder.packages import installed_packages


def used_packages(inputs: BuildInputs) -> Lock:
    """Return the lock of what mkosi has installed; raises BuilderError when the build was held to something else."""
    trees = package_trees(inputs)
    used = lock_of(inputs.resolved, inputs.toolchain, installed_packages(trees))
    _refuse_other_sources(trees.lists, inputs.source.name)
    if inputs.lock:
        refuse_differences(lock_differences(inputs.lock, used))
    else:
        _refuse_other_sources(inputs.toolchain.tools.lists, inputs.source.name)
    return used


def _refuse_other_sources(lists: Path, name: str) -> None:
    """Refuse indices of another source than the pinned one, whose address ends with its name.

    apt calls an index by its address, with low lines for slashes. The newest state has no name, and any mirror has it.
    """
    foreign = [index.name for index in sorted(lists.glob("*_Packages")) if f"_{name}_dists_" not in index.name]
    if name and foreign:
        raise BuilderError(
            f"packages came from elsewhere than {name}: {', '.join(foreign)}",
            hint=f"Remove {lists.parent} and build again",
        )
