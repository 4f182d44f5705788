"""The parts of the kernel image: all of them known, and of one system."""

import struct
from collections.abc import Iterator

from builder.render.boot_entry import MAIN
from builder.verify.boot import Esp, check_esp, within
from builder.verify.claim import Claim, Trial
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding
from builder.verify.formats.malformed import MalformedError
from builder.verify.formats.uki import MEASURED, PROFILE, SIGNATURES, STUB_SECTIONS, UnifiedKernel, assignments

CLAIM = Claim(
    "uki-sections",
    expected="a kernel, an initrd, a command line and what describes them, each once, and all of the same version",
    proves="The kernel image has the parts that it should have, and they belong together.",
    fails="The kernel image has parts that no image has, lacks some, or was put together from different systems.",
)

_NEEDED = (".linux", ".osrel", ".cmdline", ".initrd", ".uname", ".pcrpkey")
# What another way to start the image may have of its own.
_OF_A_PROFILE = {PROFILE, ".cmdline", SIGNATURES}

# Where a kernel for x86 has its magic number and the place of its version (Linux, Documentation/arch/x86/boot.rst).
_SETUP_BYTES = 64 << 10
_SETUP_MAGIC_AT, _VERSION_POINTER_AT, _SETUP_AT = 0x202, 0x20E, 0x200
# How what the firmware hands to the kernel as an initrd may begin: zstd, or a cpio archive.
_INITRD_MAGICS = (b"\x28\xb5\x2f\xfd", b"070701")


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim."""
    yield from check_esp(CLAIM, disk, lambda trial, esp: _examine(trial, esp, context))


def _examine(trial: Trial, esp: Esp, context: Context) -> str:
    kernel = esp.kernel()
    with within(kernel.file):
        _check_names(kernel)
        version = _kernel_version(kernel)
        sections = kernel.profiles[0].sections
        if kernel.text(sections[".uname"]) != version:
            raise MalformedError(f"the section .uname says otherwise than the kernel {version}", 0)
        for name in (".initrd", ".ucode"):
            if name in sections and not kernel.content(sections[name], 8).startswith(_INITRD_MAGICS):
                raise MalformedError(f"the section {name} is no initrd", sections[name].offset_bytes)
        release = assignments(kernel.text(sections[".osrel"]), sections[".osrel"].offset_bytes)
    system = f"{release.get('IMAGE_ID')}_{release.get('IMAGE_VERSION')}"
    if system != esp.label:
        trial.wrong(f"the kernel image of {system}", kernel.file.position(sections[".osrel"].offset_bytes), esp.label)
    built = (context.record or {}).get("version", release.get("IMAGE_VERSION"))
    if release.get("IMAGE_VERSION") != built:
        trial.wrong(f"version {release.get('IMAGE_VERSION')}", kernel.file.position(0), f"{built}, as in build.json")
    profiles = ", ".join(profile.id for profile in kernel.profiles)
    return f"{system} with Linux {version}, to be started as: {profiles}"


def _check_names(kernel: UnifiedKernel) -> None:
    known = {*STUB_SECTIONS, *MEASURED, SIGNATURES}
    for section in kernel.image.sections:
        if section.name not in known:
            raise MalformedError(f"an unknown section {section.name}", section.offset_bytes)
    first, *others = kernel.profiles
    if first.id != MAIN:
        raise MalformedError(f"what starts by itself is called {first.id!r}", 0)
    for name in _NEEDED:
        if name not in first.sections:
            raise MalformedError(f"no section {name}", 0)
    if first.own - {PROFILE, SIGNATURES}:
        raise MalformedError("sections that only the usual start has", 0)
    for profile in others:
        if profile.own - _OF_A_PROFILE or not profile.id or not profile.title:
            raise MalformedError(f"a way to start the image {profile.id!r} with sections {sorted(profile.own)}", 0)


def _kernel_version(kernel: UnifiedKernel) -> str:
    """Return the release that the kernel itself says it is, the first word of its version."""
    section = kernel.profiles[0].sections[".linux"]
    setup = kernel.content(section, _SETUP_BYTES)
    if setup[:2] != b"MZ" or setup[_SETUP_MAGIC_AT : _SETUP_MAGIC_AT + 4] != b"HdrS":
        raise MalformedError("the section .linux is no kernel for x86", section.offset_bytes)
    (pointer,) = struct.unpack_from("<H", setup, _VERSION_POINTER_AT)
    text = setup[_SETUP_AT + pointer :].split(b"\0", 1)[0]
    return text.split(b" ", 1)[0].decode("ascii", errors="replace")
