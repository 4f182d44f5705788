"""Putting a verified image on a disk: the disk is held from the first look at it until all is written.

with held_disk("/dev/sdb", unmount_first=False) as (disk, target), open_image(source, sha256=None) as image:
    check_room(disk, image.size_bytes)
    check_image(image, certificates)
    flash(image, disk, target)
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from builder import log
from builder.deliver.disks import Disk, find_disk
from builder.deliver.refusals import check_disk, running_layers
from builder.deliver.source import OpenImage
from builder.deliver.target import Target, held, unmount
from builder.deliver.write import make_unbootable, write_image
from builder.errors import BuilderError, ToolError
from builder.verify import verify


class FailedCheckError(BuilderError):
    """An image that is not what it claims to be."""

    exit_code = 1


class UnfinishedError(ToolError):
    """A disk that was begun and does not start."""

    def __init__(self, disk: Disk, reason: str, *, interrupted: bool = False) -> None:
        message = f"{reason}; {disk.path} is unfinished: no machine starts from it, and what was on it is lost"
        hint = "Start the same command again to write all of it anew; what was downloaded is not fetched again"
        super().__init__(message, hint=hint)
        self.exit_code = 130 if interrupted else ToolError.exit_code


@contextmanager
def held_disk(device: str, *, unmount_first: bool) -> Iterator[tuple[Disk, Target]]:
    """Hold the disk that is named so, for a `with` block; a BuilderError if it is none to write to."""
    layers = running_layers()
    disk = find_disk(device)
    check_disk(disk, unmount=unmount_first, layers=layers)
    if unmount_first:
        unmount(disk)
    with held(disk) as target:
        # What another program did before it was ours counts, too; and it may be another disk by now.
        checked = find_disk(disk.path)
        check_disk(checked, unmount=False, layers=layers)
        if checked.title != disk.title or checked.size_bytes != target.size_bytes:
            raise BuilderError(f"{disk.path} was changed for another disk", hint="Look again: claudineos flash --list")
        yield checked, target


def check_image(image: OpenImage, certificates: Sequence[Path]) -> None:
    """Verify an image, with the certificates at these paths or else those beside it; raises FailedCheckError."""
    if not certificates:
        log.warning("the certificates came with the image, and show only that it agrees with itself; yours: --cert")
    with log.step(f"Verifying {image.name}"):
        failed = verify(image.path, certificates, image.beside).failed
    for finding in failed:
        log.info(f"✗ {finding.claim}, {finding.where}: {finding.meaning}")
        log.info(f"  expected {finding.expected}; found {finding.found}")
    if failed:
        hint = "Build or fetch it again; all that was checked is shown by: claudineos verify"
        raise FailedCheckError(f"{image.name} is not what it claims to be; nothing was written", hint=hint)


def flash(image: OpenImage, disk: Disk, target: Target) -> None:
    """Write the image to the disk; nothing is asked any more. An UnfinishedError says what state the disk is in."""
    try:
        with log.step(f"Writing {image.name} to {disk.path}"):
            write_image(image.descriptor, image.size_bytes, target)
    except KeyboardInterrupt:
        _leave_unbootable(target)
        raise UnfinishedError(disk, "interrupted", interrupted=True) from None
    except OSError as error:
        _leave_unbootable(target)
        raise UnfinishedError(disk, f"reading or writing failed: {error.strerror}") from error
    except ToolError as error:
        _leave_unbootable(target)
        raise UnfinishedError(disk, error.message) from error
    target.reread_partitions()


def _leave_unbootable(target: Target) -> None:
    """Only the very end of writing makes a disk start; should that have failed, take it back."""
    with suppress(OSError, KeyboardInterrupt):
        make_unbootable(target)
