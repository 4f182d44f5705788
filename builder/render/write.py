"""Writing a plan: beside its place first, then renamed, so that a tree is old or new and never half of each."""

import tempfile
from pathlib import Path

from builder.errors import BuilderError
from builder.render.plan import RenderPlan

# Only a directory that holds this file, or nothing, is ever replaced.
MARKER = "mkosi.conf"


def write_plan(plan: RenderPlan, directory: Path) -> Path:
    """Replace `directory` by the plan's tree; refuses a directory that holds something else."""
    if directory.exists() and not (directory / MARKER).is_file() and any(directory.iterdir()):
        raise BuilderError(
            f"{directory} holds something other than a rendered tree", hint="Name a directory that does not exist yet"
        )
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=f".{directory.name}-") as scratch:
        tree = Path(scratch) / "new"
        tree.mkdir()
        for file in plan.files:
            path = tree / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            path.chmod(file.mode)
        if directory.exists():
            directory.rename(Path(scratch) / "old")
        tree.rename(directory)
    return directory
