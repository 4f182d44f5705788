"""Writing a plan: beside its place first, then renamed, so that a tree is old or new and never half of each."""

import tempfile
from pathlib import Path

from builder.errors import BuilderError
from builder.render.mkosi import TITLE
from builder.render.plan import RenderPlan


def write_plan(plan: RenderPlan, directory: Path) -> Path:
    """Replace `directory` by the plan's tree; refuses a directory that holds something else."""
    if directory.exists() and not _is_ours(directory):
        raise BuilderError(f"{directory} is not a rendered tree", hint="Name a directory that does not exist yet")
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


def _is_ours(directory: Path) -> bool:
    """Say whether a directory may be replaced: it is empty, or its mkosi.conf begins as only we begin one."""
    if not directory.is_dir():
        return False
    configuration = directory / "mkosi.conf"
    if configuration.is_file():
        return configuration.read_bytes().startswith(f"# {TITLE}".encode())
    return not any(directory.iterdir())
