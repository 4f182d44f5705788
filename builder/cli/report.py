"""`claudineos report`: one page that shows an image to a person."""

from pathlib import Path

import click

from builder import log
from builder.cli.run import DEFAULT_OUT, machine_directory
from builder.deliver.report import read_inputs, render_page
from builder.errors import BuilderError
from builder.suite.report import REPORT
from builder.verify import Evidence, verify
from builder.vm.disk_image import latest_image


@click.command()
@click.argument("image", type=click.Path(path_type=Path), required=False)
@click.option(
    "-o",
    "--output",
    "page",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    metavar="FILE.html",
    help="Where the page goes.",
)
@click.option(
    "--cert",
    "certificates",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A certificate of the owner to check with; may be repeated (default: those in build.json beside the image).",
)
@click.option(
    "--artifacts",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where build.json and the other artifacts are (default: beside the image).",
)
@click.option(
    "--evidence",
    "kept",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What `claudineos verify --evidence` wrote of IMAGE, instead of checking it now.",
)
@click.option(
    "--test-report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What `claudineos test` wrote (default: build/<profile>/test/test-report.json).",
)
def command(
    image: Path | None,
    page: Path,
    certificates: tuple[Path, ...],
    artifacts: Path | None,
    kept: Path | None,
    test_report: Path | None,
) -> None:
    """Check IMAGE and write a page that shows its boot chain, partitions, packages, tests and screens.

    IMAGE is a disk image, or a disk that one was written to; without it, the newest build of the profile qemu. The page
    is one file; what is not there yet is named in it, with the command that makes it.
    """
    if kept and certificates:
        raise click.UsageError("--cert is for checking now, and --evidence for what was found before; give one of them")
    if page.is_dir() or not page.absolute().parent.is_dir():
        raise BuilderError(f"{page} cannot be written", hint="Name a file, for example -o report.html")
    image = image or latest_image(DEFAULT_OUT)
    artifacts = artifacts or image.parent
    tests = test_report or machine_directory(artifacts / image.name).with_name("test") / REPORT
    evidence = _evidence(image, certificates, artifacts, kept)
    content = render_page(read_inputs(image, evidence, artifacts, tests))
    beside = page.with_name(f".{page.name}.new")
    beside.write_bytes(content)
    beside.replace(page)
    if evidence.failed:
        log.warning(f"{len(evidence.failed)} of {len(evidence.findings)} findings failed; the page names them")
    click.echo(page)


def _evidence(image: Path, certificates: tuple[Path, ...], artifacts: Path, kept: Path | None) -> Evidence:
    if kept is None:
        with log.step(f"Checking {image}"):
            return verify(image, certificates, artifacts)
    try:
        return Evidence.from_json(kept.read_text())
    except (OSError, UnicodeDecodeError) as error:
        hint = f"Make it with: claudineos verify {image} --evidence {kept}"
        raise BuilderError(f"{kept} cannot be read: {error}", hint=hint) from error
