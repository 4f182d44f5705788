"""`claudineos render`: the mkosi configuration that a profile stands for."""

from pathlib import Path

import click

from builder.image import BuildLayout
from builder.profile import load_profile
from builder.render import OVERLAYS_DIR, render, write_plan


@click.command()
@click.argument("profile", default="qemu")
@click.option("--output", type=click.Path(path_type=Path), help="Directory to write.  [default: build/PROFILE/mkosi]")
def command(profile: str, output: Path | None) -> None:
    """Write the mkosi tree of PROFILE and print its path."""
    resolved = load_profile(profile)
    directory = output or BuildLayout(Path("build"), resolved.profile.name).tree
    click.echo(write_plan(render(resolved, OVERLAYS_DIR), directory))
