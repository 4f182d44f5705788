"""`claudineos lock`: write down exactly what an image is made of."""

from pathlib import Path

import click

from builder.image import BuildLayout, lock_image
from builder.keys import load_or_create_throwaway
from builder.lock import lock_path
from builder.profile import load_profile


@click.command()
@click.argument("profile", default="qemu")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.  [default: beside the profile]")
@click.option(
    "--build-dir", type=click.Path(path_type=Path), default=Path("build"), show_default=True, help="Where to build."
)
@click.option("--refresh", is_flag=True, help="Look for newer packages first.")
def command(profile: str, output: Path | None, build_dir: Path, refresh: bool) -> None:
    """Write the lock of PROFILE (a name in profiles/, or a path) and print its path.

    It names each package that a build uses now, with version, size and hash; mkosi, the tools and the model. `build
    --locked` uses exactly these.
    """
    resolved = load_profile(profile)
    layout = BuildLayout(build_dir.absolute(), resolved.profile.name)
    lock = lock_image(resolved, load_or_create_throwaway(layout.throwaway_keys), layout, refresh=refresh)
    click.echo(lock.write(output or lock_path(resolved)))
