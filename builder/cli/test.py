"""`claudineos test`: check a booted image."""

from pathlib import Path

import click

from builder import log
from builder.cli.run import DEFAULT_OUT, machine_directory
from builder.suite import DEFAULT_GROUPS, GROUPS, Report, Suite, check_suite, run_suite
from builder.suite.report import REPORT
from builder.toolchain import open_toolchain
from builder.vm.accel import choose_accelerator
from builder.vm.disk_image import latest_image, open_disk_image


@click.command(epilog="Groups: " + "; ".join(f"{name}: {what}" for name, what in GROUPS.items()) + ".")
@click.argument("image", type=click.Path(path_type=Path), required=False)
@click.option(
    "--group", "groups", type=click.Choice(list(GROUPS)), multiple=True, help="Run this group only; may be repeated."
)
@click.option("--faults", is_flag=True, help="Run the group faults as well.")
@click.option("-k", "keyword", default="", metavar="EXPR", help="Run the checks whose name matches, as in pytest.")
@click.option(
    "--report",
    "report_directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the report and the artefacts of failures go (default: build/<profile>/test).",
)
def command(
    image: Path | None, groups: tuple[str, ...], faults: bool, keyword: str, report_directory: Path | None
) -> int:
    """Boot IMAGE in a virtual machine and check what it promises; print the path of the report.

    Without IMAGE it is the newest build of the profile qemu. The image is never written to. Exit code 1 means that a
    check failed.
    """
    disk_image = open_disk_image(image or latest_image(DEFAULT_OUT))
    directory = (report_directory or machine_directory(disk_image.path).with_name("test")).absolute()
    chosen = (groups or DEFAULT_GROUPS) + (("faults",) if faults else ())
    suite = Suite(disk_image.path, directory, chosen, keyword)
    check_suite(suite)
    # Whatever has to be fetched or built for the machine is, before checks wait for it.
    accelerator = choose_accelerator(open_toolchain())
    report, interrupted = run_suite(suite, accelerator.name)
    _summarise(report, directory)
    click.echo(directory / REPORT)
    if interrupted:
        log.warning("interrupted; the report has the checks that ran")
        return 130
    return 1 if report.having("failed") else 0


def _summarise(report: Report, directory: Path) -> None:
    failed = report.having("failed")
    for check in failed:
        kept = directory / check.artefacts[0]
        log.info(f"\nfailed: {check.name}\n  {check.message}\n  kept: {kept.parent}")
    counts = ", ".join(f"{len(report.having(outcome))} {outcome}" for outcome in ("passed", "failed", "skipped"))
    log.info(f"\n{report.subject.image}: {counts}, in {report.seconds:.0f} s")
