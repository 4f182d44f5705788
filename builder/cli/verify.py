"""`claudineos verify`: check every claim about an image."""

from pathlib import Path

import click

from builder import log
from builder.verify import Evidence, Finding, verify


@click.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "--cert",
    "certificates",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A certificate of the owner, PEM or DER; may be repeated (default: those in build.json beside the image).",
)
@click.option(
    "--record",
    "directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where build.json and the files that it names are (default: beside the image).",
)
@click.option(
    "--evidence", "kept", type=click.Path(path_type=Path), metavar="FILE", help="Write the findings there, as JSON."
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(
    image: Path, certificates: tuple[Path, ...], directory: Path | None, kept: Path | None, as_json: bool
) -> int:
    """Check every claim about IMAGE: a disk image, or a disk that one was written to.

    Nothing is mounted and nothing is written to. Exit code 1 means that a claim does not hold.
    """
    evidence = verify(image, certificates, directory)
    if kept:
        _keep(evidence, kept)
    if as_json:
        click.echo(evidence.to_json(), nl=False)
    else:
        _print(evidence)
    if not certificates:
        log.warning("the certificates came with the image: this shows that it agrees with itself, not whose it is")
        log.info("Name certificates that you had before with --cert")
    return 1 if evidence.failed else 0


def _keep(evidence: Evidence, path: Path) -> None:
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(evidence.to_json())
        beside.rename(path)
    finally:
        beside.unlink(missing_ok=True)


def _print(evidence: Evidence) -> None:
    for finding in evidence.findings:
        click.echo(f"{'✓' if finding.passed else '✗'} {finding.claim}: {finding.found}")
        if not finding.passed:
            click.echo(_details(finding))
    for register, value in sorted(evidence.predicted_pcrs.items()):
        click.echo(f"PCR {register:2} {value}")
    for span in evidence.unchecked:
        click.echo(f"not checked: {span.size_bytes:,} bytes at {span.offset_bytes:,}: {span.why}")
    passed = len(evidence.findings) - len(evidence.failed)
    click.echo(f"{evidence.image}: {passed} of {len(evidence.findings)} findings passed")


def _details(finding: Finding) -> str:
    return f"    where:    {finding.where}\n    expected: {finding.expected}\n    {finding.meaning}"
