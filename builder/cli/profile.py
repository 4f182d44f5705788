"""`claudineos profile`: list, show and check profiles."""

import json

import click

from builder import profile
from builder.render import OVERLAYS_DIR, render


@click.group()
def command() -> None:
    """List, show and check profiles."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of name, description and path.")
def list_(as_json: bool) -> None:
    """List the profiles of this repository."""
    summaries = profile.list_profiles()
    if as_json:
        entries = [{"name": one.name, "description": one.description, "path": str(one.path)} for one in summaries]
        click.echo(json.dumps(entries, indent=2, ensure_ascii=False))
        return
    width = max((len(one.name) for one in summaries), default=0)
    for one in summaries:
        click.echo(f"{one.name:<{width}}  {one.description}")


@command.command()
@click.argument("name", metavar="PROFILE")
@click.option("--origins", is_flag=True, help="Say for each value in which file and line it was written.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --origins, an object of profile and origins.")
def show(name: str, origins: bool, as_json: bool) -> None:
    """Print a profile with all that it takes from those it extends.

    PROFILE is a name from `claudineos profile list`, or the path of a .yaml file.
    """
    resolved = profile.load_profile(name)
    if not as_json:
        click.echo(profile.to_yaml(resolved, origins=origins), nl=False)
        return
    data = profile.to_data(resolved)
    if origins:
        data = {"profile": data, "origins": profile.origins_to_data(resolved)}
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


@command.command()
@click.argument("names", metavar="PROFILE...", nargs=-1, required=True)
def check(names: tuple[str, ...]) -> None:
    """Check that profiles are complete and right, and that their overlays fit."""
    for name in names:
        render(profile.load_profile(name), OVERLAYS_DIR)
        click.echo(f"{name}: ok")


@command.command()
def schema() -> None:
    """Print the JSON Schema of profile files, for editors.

    For example, for an editor with the YAML language server: claudineos profile schema > profile.schema.json, and
    `# yaml-language-server: $schema=profile.schema.json` as the first line of a profile.
    """
    click.echo(json.dumps(profile.json_schema(), indent=2, ensure_ascii=False))
