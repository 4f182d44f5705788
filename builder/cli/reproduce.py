"""`claudineos reproduce`: build an image again, and compare."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from builder import log
from builder.cli.diff import difference_lines
from builder.compare import Builds, find_subject, reproduce
from builder.keys import load_keys


@click.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "--keys", "keys_dir", type=click.Path(path_type=Path), help="The owner's keys, to compare the signatures as well."
)
@click.option("--profile", help="The profile it was built from, where that is not one of this repository.")
@click.option(
    "--build-dir", type=click.Path(path_type=Path), default=Path("build"), show_default=True, help="Where to build."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(image: Path, keys_dir: Path | None, profile: str | None, build_dir: Path, as_json: bool) -> int:
    """Build IMAGE again from the evidence beside it, and say part by part whether the same comes out.

    IMAGE is a disk image or the directory of a build. Without the owner's keys, all is compared but what only these can
    make. The exit code is 1 when something differs.
    """
    keys = load_keys(keys_dir) if keys_dir else None
    found = reproduce(find_subject(image).image, (build_dir / "reproduce").absolute(), keys, profile)
    if as_json:
        click.echo(json.dumps({"schema": 1, "same": found.builds.same, **asdict(found.builds)}, indent=2))
    else:
        click.echo("\n".join(_lines(found.builds)))
    log.info(f"The second build is in {found.rebuilt}")
    return 0 if found.builds.same else 1


def _lines(builds: Builds) -> Iterator[str]:
    for part in builds.parts:
        yield f"{'differs' if part.differences else 'same   '}  {part.name}"
        for difference in part.differences:
            yield from difference_lines(difference)
    if builds.left_out:
        total = sum(place.size_bytes for place in builds.left_out)
        yield f"left out: {total} bytes in {len(builds.left_out)} places that only the owner's keys can make:"
        yield from (f"  byte {place.offset_bytes}, {place.size_bytes} bytes: {place.what}" for place in builds.left_out)
