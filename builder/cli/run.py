"""`claudineos run`: boot an image in a virtual machine."""

from pathlib import Path
from typing import cast, get_args

import click

from builder import log
from builder.errors import BuilderError
from builder.toolchain import open_toolchain
from builder.vm import attended, headless
from builder.vm.disk_image import latest_image, open_disk_image
from builder.vm.hardware import DiskController, Hardware, check_hardware
from builder.vm.machine import Machine

DEFAULT_OUT = Path("build/qemu/out")


@click.command()
@click.argument("image", type=click.Path(path_type=Path), required=False)
@click.option("--ask", "question", metavar="TEXT", help="Ask the model, print only its answer, power off.")
@click.option(
    "--screenshot",
    "picture",
    type=click.Path(path_type=Path),
    metavar="FILE.png",
    help="Picture the screen once the model is ready, power off.",
)
@click.option("--serial", is_flag=True, help="Make this terminal the machine's serial line. Ctrl+A, then X leaves.")
@click.option("--fresh", is_flag=True, help="Start as a new machine: empty disk, firmware and TPM.")
@click.option(
    "--memory",
    "memory_mib",
    type=int,
    default=Hardware.memory_mib,
    show_default=True,
    metavar="MIB",
    help="Memory in MiB.",
)
@click.option("--cpus", type=int, default=None, help="CPUs; by default two, or one where the host has one.")
@click.option(
    "--disk",
    type=click.Choice(get_args(DiskController)),
    default=Hardware.disk,
    show_default=True,
    help="What the disk hangs on; an image for real machines has no driver for virtio.",
)
@click.option(
    "--machine",
    "directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the machine keeps its disk, firmware variables and TPM (default: build/<profile>/machine).",
)
def command(
    image: Path | None,
    question: str | None,
    picture: Path | None,
    serial: bool,
    fresh: bool,
    memory_mib: int,
    cpus: int | None,
    disk: str,
    directory: Path | None,
) -> None:
    """Boot IMAGE in a virtual machine with Secure Boot and a TPM, in a window unless told otherwise.

    Without IMAGE it is the newest build of the profile qemu. The image is never written to. What the machine remembers
    stays in its directory until --fresh.
    """
    headless_run = question is not None or picture is not None
    if serial and headless_run:
        raise click.UsageError("--serial needs a person; it does not go with --ask or --screenshot")
    if question is not None and not question.strip():
        raise BuilderError("--ask has nothing to ask", hint='For example --ask "What is the capital of France?"')
    disk_image = open_disk_image(image or latest_image(DEFAULT_OUT))
    directory = directory or machine_directory(disk_image.path)
    hardware = Hardware(
        memory_mib=memory_mib,
        cpus=Hardware.cpus if cpus is None else cpus,
        disk=cast(DiskController, disk),
    )
    check_hardware(hardware)
    if picture is not None:
        headless.check_picture(picture)
    if not (serial or headless_run):
        attended.check_window()

    toolchain = open_toolchain()
    artefacts = directory / "failure"
    if serial:
        attended.run_on_terminal(toolchain, disk_image, directory, hardware, fresh=fresh)
    elif not headless_run:
        attended.run_in_window(toolchain, disk_image, directory, hardware, fresh=fresh, artefacts=artefacts)
    else:
        with Machine(toolchain, disk_image, directory, hardware=hardware, fresh=fresh, artefacts=artefacts) as machine:
            headless.wait_for_model(machine)
            answer = None if question is None else headless.ask(machine, question)
            if picture is not None:
                headless.take_picture(machine, picture)
            machine.shutdown()
        if picture is not None:
            log.info(f"the picture is {picture}")
        if answer is not None:
            click.echo(answer)


def machine_directory(image: Path) -> Path:
    """Return where a machine for `image` lives if nobody says: beside a build's `out`, else under `build/`."""
    if image.parent.name == "out":
        return image.parent.parent / "machine"
    return Path("build") / image.stem / "machine"
