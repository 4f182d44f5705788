"""The EFI system partition: exactly the files that belong there, and nothing between or behind them."""

from collections.abc import Iterator
from hashlib import sha256

from builder.verify.boot import (
    BOOT_LOADERS,
    BOOT_MENU,
    ENROLMENT,
    ENROLMENT_FILES,
    MACHINE_FILE_BYTES,
    Esp,
    check_esp,
    open_esp,
)
from builder.verify.claim import Claim, Trial
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding, Unchecked
from builder.verify.formats.malformed import MalformedError
from builder.verify.ids import file_system_id, system_seed
from builder.verify.layout import ESP

CLAIM = Claim(
    "esp",
    expected="the boot loader twice, one kernel image, the boot menu's settings and three enrolment files, and zeroes",
    proves="The firmware finds nothing on the disk but what the other claims are about.",
    fails="There is something on the partition that the firmware reads which no image of ClaudineOS has.",
)

# Of what mkfs.fat writes there: a text that says that this is no bootable disk. Nothing else may be where a BIOS would
# look for a program.
_MKFS_BOOT_CODE = "077944d0488ccce0f25a5449d0d903d7c24c6e5452d2a3103dc3ab02a419937a"

# What is more than that is not worth reading.
_MAX_NAMED = 20


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim."""
    yield from check_esp(CLAIM, disk, lambda trial, esp: _examine(trial, esp, context))


def unchecked(disk: Disk) -> tuple[Unchecked, ...]:
    """Return what a machine has added, which no claim can say anything about."""
    try:
        esp = open_esp(disk)
    except MalformedError:
        return ()
    why = "random numbers that the boot loader keeps for this machine"
    return tuple(
        Unchecked(esp.part.start + extent.offset_bytes, file.size_bytes, why)
        for file in esp.machine_files
        for extent in file.extents[:1]
    )


def _examine(trial: Trial, esp: Esp, context: Context) -> str:
    volume, added = esp.volume, {file.path for file in esp.machine_files}
    expected = {*added, *BOOT_LOADERS, BOOT_MENU, esp.kernel_path, *(ENROLMENT + name for name in ENROLMENT_FILES)}
    for path in sorted(volume.files.keys() - expected)[:_MAX_NAMED]:
        trial.wrong(f"a file {path} of {volume.files[path].size_bytes} bytes", volume.files[path].entry_offset)
    for path in sorted(expected - volume.files.keys()):
        trial.wrong(f"no file {path}", 0)
    directories = {path[:at] for path in expected for at, letter in enumerate(path) if letter == "/"}
    for path in sorted(volume.directories ^ directories)[:_MAX_NAMED]:
        trial.wrong(f"{'a' if path in volume.directories else 'no'} folder {path}", 0)
    for extent in volume.unused:
        before = len(trial.broken)
        trial.check_zero(extent.offset_bytes, extent.size_bytes, "data where there is no file")
        if len(trial.broken) > before:
            break
    if any(volume.boot_code) and sha256(volume.boot_code).hexdigest() != _MKFS_BOOT_CODE:
        trial.wrong("a program for a BIOS in the first sector", 90)
    if volume.serial != int.from_bytes(file_system_id(system_seed(esp.label), ESP).bytes[:4], "big"):
        trial.wrong(f"the serial number {volume.serial:08x}", 67, "the one that follows from the label")
    for file in esp.machine_files:
        if file.size_bytes != MACHINE_FILE_BYTES:
            trial.wrong(f"{file.size_bytes} bytes of random numbers in {file.path}", file.entry_offset)
    for offset in () if added else volume.traces[:1]:
        trial.wrong("traces of something that was written since the image was made", offset)
    # The folder's time is that of what was added to it.
    touched = added | {path.rpartition("/")[0] for path in added}
    moments = sorted({str(moment) for path, said in volume.moments.items() if path not in touched for moment in said})
    day = (context.record or {}).get("source_date", "".join(moments)[:10])
    built = f"{day} 00:00:00"
    if moments != [built]:
        trial.wrong(f"files of {', '.join(moments[:4])}", 0, f"files of {built}")
    return f"{len(volume.files)} files of {built}"
