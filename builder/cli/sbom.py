"""`claudineos sbom`: what is in an image, and under which licences."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from builder.sbom import SUFFIX, LicenceUse, list_licences, read_sbom


@click.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--licences", is_flag=True, help="List the licences, and where their texts are in the image.")
@click.option("--json", "as_json", is_flag=True, help="With --licences: print a JSON list, with all names and texts.")
def command(image: Path, licences: bool, as_json: bool) -> None:
    """Print the SBOM of IMAGE (CycloneDX 1.6, JSON), which its build left beside it.

    With --licences, each line says how many components stand under a licence or have parts that do, which one it is,
    and the first place in the image where its text is.
    """
    path = image if image.name.endswith(SUFFIX) else image.with_name(f"{image.stem}{SUFFIX}")
    document = read_sbom(path)
    if not licences:
        click.echo(path.read_text(), nl=False)
        return
    uses = list_licences(document)
    if as_json:
        click.echo(json.dumps([asdict(use) for use in uses], indent=2, ensure_ascii=False))
        return
    for use in uses:
        click.echo(f"{len(use.components):5}  {use.licence:40} {_places(use)}")


def _places(use: LicenceUse) -> str:
    """Name the first text and count the others; what has none is named in full, for somebody has to find it."""
    more = f" and {len(use.texts) - 1} more" if len(use.texts) > 1 else ""
    texts = f"{use.texts[0]}{more}" if use.texts else ""
    without = f"no text of {', '.join(use.without_text)}" if use.without_text else ""
    return "; ".join(part for part in (texts, without) if part)
