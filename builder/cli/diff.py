"""`claudineos diff`: what differs between two images."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from builder.compare import Change, Comparison, Difference, compare_images, find_subject


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(a: Path, b: Path, as_json: bool) -> int:
    """Say what differs between the images A and B: disk images, or the directories of builds.

    The exit code is 0 when nothing differs and 1 when something does, like that of diff(1).
    """
    comparison = compare_images(find_subject(a), find_subject(b))
    if as_json:
        click.echo(json.dumps({"schema": 1, "same": comparison.same, **asdict(comparison)}, indent=2))
    else:
        click.echo("\n".join(_lines(comparison)))
    return 0 if comparison.same else 1


def _lines(comparison: Comparison) -> Iterator[str]:
    if comparison.same:
        yield "Nothing differs."
    for title, listed in (
        ("Packages", comparison.packages),
        ("Kernel arguments", comparison.kernel_arguments),
        ("Units", comparison.units),
        ("Sizes", comparison.sizes),
        ("Licences", comparison.licences),
    ):
        if listed is None:
            yield f"{title}: not compared, there is no list of them beside one of the images"
        elif listed:
            yield f"{title}:"
            yield from (_change(change, argument=listed is comparison.kernel_arguments) for change in listed)
    if comparison.differences:
        yield "Contents:"
        for difference in comparison.differences:
            yield from difference_lines(difference)


def _change(change: Change, *, argument: bool) -> str:
    # A kernel argument says its own name; what has a space is of another way to start the image.
    name = "" if argument and " " not in change.name else f"{change.name}  "
    if not change.a:
        return f"  + {name}{change.b}"
    return f"  ~ {name}{change.a} → {change.b}" if change.b else f"  - {name}{change.a}"


def difference_lines(difference: Difference) -> Iterator[str]:
    """Yield a difference as lines: where it is and what, then more of it."""
    place = " → ".join(difference.place) or "image"
    match difference.what:
        case "added":
            yield f"  + {place}  {difference.b}"
        case "removed":
            yield f"  - {place}  {difference.a}"
        case "content" | "unreadable":
            yield f"  ~ {place}  {difference.what}"
        case _:
            yield f"  ~ {place}  {difference.what} {difference.a} → {difference.b}"
    yield from (f"      {line}" for line in difference.detail.splitlines())
