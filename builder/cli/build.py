"""`claudineos build`: a signed disk image from a profile."""

from pathlib import Path

import click

from builder.image import BuildLayout, build_image
from builder.keys import signing_keys
from builder.profile import load_profile


@click.command()
@click.argument("profile", default="qemu")
@click.option(
    "--keys",
    "keys_dir",
    type=click.Path(path_type=Path),
    help="Directory of the keys to sign with (see `keys create`).",
)
@click.option(
    "--build-dir", type=click.Path(path_type=Path), default=Path("build"), show_default=True, help="Where to build."
)
@click.option("--refresh", is_flag=True, help="Look for newer packages, and build everything again.")
def command(profile: str, keys_dir: Path | None, build_dir: Path, refresh: bool) -> None:
    """Build the image of PROFILE (a name in profiles/, or a path) and print the path of the disk image."""
    resolved = load_profile(profile)
    layout = BuildLayout(build_dir.absolute(), resolved.profile.name)
    artifacts = build_image(resolved, signing_keys(keys_dir, layout.throwaway_keys), layout, refresh=refresh)
    click.echo(layout.out / artifacts.image)
