"""`claudineos explain`: where each line of the rendered configuration comes from."""

import click

from builder.profile import load_profile
from builder.render import OVERLAYS_DIR, explain, render


@click.command()
@click.argument("profile")
@click.argument("setting", required=False)
def command(profile: str, setting: str | None) -> None:
    """Print each line of PROFILE's mkosi configuration with the profile or overlay line it comes from.

    SETTING is a mkosi setting (KernelCommandLine), a value (quiet), or a file (mkosi.repart/10-root.conf).
    """
    for line in explain(render(load_profile(profile), OVERLAYS_DIR), setting):
        place = f"{line.path}:{line.number}" if line.number else line.path
        text = f"{line.setting}={line.text}" if line.setting else line.text
        click.echo(f"{place:34} {text:60} {line.origin or '(the builder)'}".rstrip())
