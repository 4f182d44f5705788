"""`claudineos flash`: write an image to a disk."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from builder import log
from builder.deliver.disks import Content, Disk, list_disks, size_text
from builder.deliver.flash import check_image, flash, held_disk
from builder.deliver.refusals import check_disk, check_room, running_layers
from builder.deliver.source import open_image
from builder.errors import BuilderError


@click.command()
@click.argument("image", required=False)
@click.argument("device", required=False)
@click.option("--list", "only_list", is_flag=True, help="List the disks; so does leaving DEVICE away.")
@click.option("--json", "as_json", is_flag=True, help="List them as JSON.")
@click.option(
    "--cert",
    "certificates",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="The owner's certificate; may be repeated.  [default: those in build.json beside IMAGE]",
)
@click.option("--sha256", metavar="HEX", help="The SHA-256 that the file IMAGE must have.")
@click.option("--unmount", is_flag=True, help="Unmount what is mounted from the disk.")
@click.option("--yes", is_flag=True, help="Do not ask; --serial must name the disk.")
@click.option("--serial", metavar="SERIAL", help="The serial number that the disk must have.")
def command(
    image: str | None,
    device: str | None,
    only_list: bool,
    as_json: bool,
    certificates: tuple[Path, ...],
    sha256: str | None,
    unmount: bool,
    yes: bool,
    serial: str | None,
) -> None:
    """Write IMAGE, a .raw or .raw.zst file or its https address, to the disk DEVICE, and all that is on it is lost.

    The image is verified before, and what was written is read back and compared. DEVICE is a whole disk, for example
    /dev/sdb or a link in /dev/disk/by-id.
    """
    if only_list or as_json or image is None or device is None:
        _list(list_disks(), as_json=as_json)
        return
    if yes and not serial:
        raise click.UsageError("--yes needs the disk's serial number: --serial SERIAL (see `claudineos flash --list`)")
    with held_disk(device, unmount_first=unmount) as (disk, target):
        if serial is not None and serial != disk.serial:
            found = f"has the serial number {disk.serial}" if disk.serial else "has no serial number"
            raise BuilderError(f"{disk.path} {found}, not {serial}", hint="Look again: claudineos flash --list")
        with open_image(image, sha256=sha256 and sha256.lower()) as source:
            check_room(disk, source.size_bytes)
            check_image(source, certificates)
            _show(disk)
            if not yes:
                _confirm(disk)
            flash(source, disk, target)
    log.info(f"{disk.path} is written and checked, and it is safe to remove.")


def _confirm(disk: Disk) -> None:
    """Let a person at a terminal type the disk's name."""
    if not sys.stdin.isatty():
        hint = f"In a script: --yes --serial {disk.serial or 'SERIAL'}"
        raise BuilderError("nobody is here to confirm that; nothing was written", hint=hint)
    typed = click.prompt(f"Type {disk.name} to go on", default="", show_default=False, err=True)
    if typed.strip() not in (disk.name, disk.path):
        raise BuilderError(f"that is not {disk.name}; nothing was written", hint="Start again when you are sure")


def _show(disk: Disk) -> None:
    log.info(f"{disk.title}. All that is on it will be lost:")
    for content in disk.contents:
        log.info(f"  {_line(content)}")
    if not disk.contents:
        log.info("  nothing that is known here")


def _list(disks: Sequence[Disk], *, as_json: bool) -> None:
    layers = running_layers()
    if as_json:
        data = [{**asdict(disk), "obstacle": _obstacle(disk, layers)} for disk in disks]
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    if not disks:
        log.info("there is no disk in this computer")
    for disk in disks:
        kind = ", ".join(filter(None, ["removable" if disk.removable else "internal", disk.transport]))
        click.echo(f"{disk.title} ({kind})")
        for content in disk.contents:
            click.echo(f"    {_line(content)}")
        if obstacle := _obstacle(disk, layers):
            click.echo(f"    not to be written to: {obstacle}")


def _obstacle(disk: Disk, layers: tuple[str, ...]) -> str:
    try:
        check_disk(disk, unmount=False, layers=layers)
    except BuilderError as error:
        return error.message
    return ""


def _line(content: Content) -> str:
    mounted = ", ".join(content.mount_points)
    words = [
        content.path,
        size_text(content.size_bytes),
        content.file_system or content.kind,
        f'"{content.label}"' if content.label else "",
        f"at {mounted}" if mounted else "",
    ]
    return "  ".join(filter(None, words))
