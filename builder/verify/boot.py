"""What the firmware starts: the files on the EFI system partition, and the unified kernel image among them.

    esp = open_esp(disk)
    esp.volume.files["loader/loader.conf"]
    esp.kernel().profiles[0].sections[".cmdline"]

Errors (MalformedError) have offsets in the partition, whatever part of a file they are about.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from builder.verify.claim import Claim, Trial
from builder.verify.disk import Disk
from builder.verify.evidence import Finding
from builder.verify.formats.fat import File, Volume, read_volume
from builder.verify.formats.malformed import MalformedError
from builder.verify.formats.uki import UnifiedKernel, read_unified_kernel
from builder.verify.layout import ESP, ROOT, STATE

# The firmware looks for the first; the second is where `bootctl` would look for it.
BOOT_LOADERS = ("EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi")
KERNELS = "EFI/Linux/"
BOOT_MENU = "loader/loader.conf"
ENROLMENT = "loader/keys/auto/"
ENROLMENT_FILES = ("PK.auth", "KEK.auth", "db.auth")
# What systemd-boot and its stub keep for a machine from its first start on: random bytes, which only add to others.
MACHINE_FILES = ("loader/random-seed", "loader/boot-secret-mixin")
MACHINE_FILE_BYTES = 32


@dataclass(frozen=True)
class Esp:
    """The EFI system partition; `label` is the name of the system on the disk, which the kernel image has as well.

    `machine_files` are those that a machine has added; a disk that no machine was started from has none.
    """

    part: Disk
    volume: Volume
    label: str
    machine_files: tuple[File, ...]

    @property
    def kernel_path(self) -> str:
        """Where the one kernel image belongs."""
        return f"{KERNELS}{self.label}.efi"

    def file(self, path: str) -> File:
        """Return a file; MalformedError if there is none."""
        if path not in self.volume.files:
            raise MalformedError(f"there is no file {path}", 0)
        return self.volume.files[path]

    def kernel(self) -> UnifiedKernel:
        """Read the kernel image's headers."""
        file = self.file(self.kernel_path)
        with within(file):
            return read_unified_kernel(file)


def open_esp(disk: Disk) -> Esp:
    """Read the partition's tables and directories, and no file."""
    return _read(disk, disk.part(disk.partition(ESP)))


def check_esp(claim: Claim, disk: Disk, examine: Callable[[Trial, Esp], str]) -> Iterator[Finding]:
    """Try a claim about the partition: `examine` notes what is wrong, and returns what there is if nothing is."""
    trial, found = Trial(claim, disk), ""
    with trial.trying():
        trial = trial.within(disk.partition(ESP))
        with trial.trying():
            found = examine(trial, _read(disk, trial.disk))
    yield from trial.findings(found)


def _read(disk: Disk, part: Disk) -> Esp:
    volume = read_volume(part.read, part.size_bytes)
    # Its first start makes a partition for its state, too.
    started = any(partition.type == STATE for partition in disk.table.partitions)
    added = [volume.files[path] for path in MACHINE_FILES if path in volume.files] if started else []
    return Esp(part, volume, disk.partition(ROOT).label, tuple(added))


@contextmanager
def within(file: File) -> Iterator[None]:
    """Turn offsets in a file, which a reader of its content knows, into offsets in the partition."""
    try:
        yield
    except MalformedError as error:
        raise MalformedError(f"{file.path}: {error.what}", file.position(error.offset)) from error


def command_line(kernel: UnifiedKernel, profile: int = 0) -> tuple[str, ...]:
    """Return the arguments that the kernel is started with.

    The section ends with a NUL, and the kernel takes quotes as a part of an argument, in which spaces do not part.
    """
    sections = kernel.profiles[profile].sections
    if ".cmdline" not in sections:
        raise MalformedError("there is no command line", 0)
    section = sections[".cmdline"]
    text = kernel.text(section).removesuffix("\0")
    if not text.isascii() or not text.isprintable() or '"' in text:
        raise MalformedError("a command line that the kernel may read otherwise", section.offset_bytes)
    return tuple(text.split(" "))


def root_hashes(disk: Disk) -> frozenset[str]:
    """Return what the arguments `roothash=` of all ways to start the image say; there should be one."""
    kernel = open_esp(disk).kernel()
    with within(kernel.file):
        return frozenset(
            argument.removeprefix("roothash=")
            for profile in range(len(kernel.profiles))
            for argument in command_line(kernel, profile)
            if argument.startswith("roothash=")
        )
