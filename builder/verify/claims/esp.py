"""The EFI system partition: exactly the files that belong there, and nothing between or behind them."""

from collections.abc import Iterator
from hashlib import sha256

from builder.verify.boot import BOOT_LOADERS, BOOT_MENU, ENROLMENT, ENROLMENT_FILES, Esp, check_esp
from builder.verify.claim import Claim, Trial
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding
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


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim."""
    yield from check_esp(CLAIM, disk, lambda trial, esp: _examine(trial, esp, context))


def _examine(trial: Trial, esp: Esp, context: Context) -> str:
    volume = esp.volume
    expected = {*BOOT_LOADERS, BOOT_MENU, esp.kernel_path, *(ENROLMENT + name for name in ENROLMENT_FILES)}
    for path in sorted(volume.files.keys() - expected):
        trial.wrong(f"a file {path} of {volume.files[path].size_bytes} bytes", volume.files[path].entry_offset)
    for path in sorted(expected - volume.files.keys()):
        trial.wrong(f"no file {path}", 0)
    directories = {path[:at] for path in expected for at, letter in enumerate(path) if letter == "/"}
    for path in sorted(volume.directories ^ directories):
        trial.wrong(f"{'a' if path in volume.directories else 'no'} folder {path}", 0)
    for extent in volume.unused:
        trial.check_zero(extent.offset_bytes, extent.size_bytes, "data where there is no file")
    if any(volume.boot_code) and sha256(volume.boot_code).hexdigest() != _MKFS_BOOT_CODE:
        trial.wrong("a program for a BIOS in the first sector", 90)
    if volume.serial != int.from_bytes(file_system_id(system_seed(esp.label), ESP).bytes[:4], "big"):
        trial.wrong(f"the serial number {volume.serial:08x}", 67, "the one that follows from the label")
    moments = sorted(str(moment) for moment in volume.moments)
    built = f"{(context.record or {}).get('source_date', moments[0][:10])} 00:00:00"
    if moments != [built]:
        trial.wrong(f"files of {', '.join(moments[:4])}", 0, f"files of {built}")
    return f"{len(volume.files)} files of {built}"
