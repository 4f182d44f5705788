"""Unified kernel images: a kernel, its initrd and its command line as sections of one PE image.

A section `.profile` begins another way to start the image. What stands before the first is common to all; a profile's
own sections take the place of common ones with the same name.

Source: UAPI.5, "Unified Kernel Image (UKI)", with its section "Multi-Profile UKIs".
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from builder.render.boot_entry import MAIN
from builder.verify.formats import pe
from builder.verify.formats.fat import File
from builder.verify.formats.malformed import MalformedError

# The program itself, systemd-stub, which is the same in each of our images.
STUB_SECTIONS = (".text", ".rodata", ".data", ".sbat", ".sdmagic", ".reloc")
PROFILE, SIGNATURES = ".profile", ".pcrsig"
# In the order in which systemd-stub measures them into PCR 11: all that it knows (systemd's src/fundamental/uki.h) and
# ukify gave us, but for the signatures of what the result will be.
MEASURED = (
    *(".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".uname", ".sbat", ".pcrpkey"),
    PROFILE,
)
# Text is not longer than that; a kernel or an initrd is never loaded.
MAX_TEXT_BYTES = 64 << 10


@dataclass(frozen=True)
class Profile:
    """A way to start the image: the sections that count for it, by name, and which of them are its own."""

    id: str
    title: str
    sections: Mapping[str, pe.Section]
    own: frozenset[str]


@dataclass(frozen=True)
class UnifiedKernel:
    """A file that holds a unified kernel image. The first profile is the one that starts by itself."""

    file: File
    image: pe.Image
    profiles: tuple[Profile, ...]

    def text(self, section: pe.Section) -> str:
        """Return a section that is text; MalformedError if it is not, or longer than any text of ours."""
        try:
            return self.content(section).decode()
        except UnicodeDecodeError:
            raise MalformedError(f"the section {section.name} is no text", section.offset_bytes) from None

    def content(self, section: pe.Section, size_bytes: int = 0) -> bytes:
        """Return a section that is short, or its first bytes."""
        if not size_bytes and section.size_bytes > MAX_TEXT_BYTES:
            raise MalformedError(f"{section.size_bytes} bytes in the section {section.name}", section.offset_bytes)
        return self.file.read(section.offset_bytes, min(size_bytes or section.size_bytes, section.size_bytes))

    def chunks(self, section: pe.Section) -> Iterator[bytes]:
        """Return a section in pieces."""
        end = section.offset_bytes + section.size_bytes
        for at in range(section.offset_bytes, end, pe.CHUNK_BYTES):
            yield self.file.read(at, min(pe.CHUNK_BYTES, end - at))


def read_unified_kernel(file: File) -> UnifiedKernel:
    """Read the sections' names and places, and the words about each profile. Offsets in errors are in the file."""
    image = pe.read_image(file.read, file.size_bytes)
    groups: list[dict[str, pe.Section]] = [{}]
    for section in image.sections:
        if section.name == PROFILE:
            groups.append({})
        if section.name in groups[-1]:
            raise MalformedError(f"two sections {section.name}", section.offset_bytes)
        groups[-1][section.name] = section
    base, *own = groups
    kernel = UnifiedKernel(file, image, ())
    profiles = tuple(_profile(kernel, base, sections) for sections in own or [{}])
    if len({profile.id for profile in profiles}) != len(profiles):
        raise MalformedError("two profiles with the same id", 0)
    return UnifiedKernel(file, image, profiles)


def _profile(kernel: UnifiedKernel, base: dict[str, pe.Section], own: dict[str, pe.Section]) -> Profile:
    said = assignments(kernel.text(own[PROFILE]), own[PROFILE].offset_bytes) if own else {"ID": MAIN}
    return Profile(said.get("ID", ""), said.get("TITLE", ""), {**base, **own}, frozenset(own))


def assignments(text: str, offset: int) -> dict[str, str]:
    """Read lines NAME=VALUE with a shell's quotes, as os-release(5) and the sections `.profile` have them."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise MalformedError(f"a line that is no assignment: {error}", offset) from None
        name, is_pair, value = words[0].partition("=") if len(words) == 1 else ("", "", "")
        if not is_pair or name in found:
            raise MalformedError(f"a line that is no assignment, or one twice: {line[:80]!r}", offset)
        found[name] = value
    return found
