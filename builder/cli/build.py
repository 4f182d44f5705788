"""`claudineos build`: a signed disk image from a profile."""

from pathlib import Path

import click

from builder.image import BuildLayout, build_image
from builder.keys import signing_keys
from builder.lock import load_lock, lock_path
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
@click.option("--locked", is_flag=True, help="Use exactly what the profile's lock names (see `lock`), or refuse.")
@click.option("--lock", "lock_file", type=click.Path(path_type=Path), help="Another lock; implies --locked.")
def command(
    profile: str, keys_dir: Path | None, build_dir: Path, refresh: bool, locked: bool, lock_file: Path | None
) -> None:
    """Build the image of PROFILE (a name in profiles/, or a path) and print the path of the disk image."""
    if refresh and (locked or lock_file):
        raise click.UsageError("--refresh looks for newer packages than those in a lock; give one of them")
    resolved = load_profile(profile)
    lock = load_lock(lock_file or lock_path(resolved)) if locked or lock_file else None
    layout = BuildLayout(build_dir.absolute(), resolved.profile.name)
    keys = signing_keys(keys_dir, layout.throwaway_keys)
    artifacts = build_image(resolved, keys, layout, refresh=refresh, lock=lock)
    click.echo(layout.out / artifacts.image)
