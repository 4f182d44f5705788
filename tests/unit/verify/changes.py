"""Ways to change what a firmware starts."""

from collections.abc import Callable
from dataclasses import replace

from builder.verify import Evidence, Finding
from tests.support.model_image import Owner
from tests.support.tiny_boot import LOADERS, TinyBoot
from tests.support.tiny_image import LABEL
from tests.support.tiny_program import ARGUMENTS, boot_loader

MENU_PATH = "loader/loader.conf"
KERNEL_PATH = f"EFI/Linux/{LABEL}.efi"
KEYS = "loader/keys/auto/"
EVE = Owner("Eve")

# Changes what is on the partition; returns the partition's bytes where they are not what follows from that.
Change = Callable[[TinyBoot], bytes | None]
Checked = Callable[..., Evidence]


def claims(failed: tuple[Finding, ...]) -> set[str]:
    return {finding.claim for finding in failed}


def with_file(path: str, content: bytes | None) -> Change:
    return lambda boot: boot.changed.update({path: content})


def patched(*patches: tuple[int, bytes]) -> Change:
    """Bytes of the finished volume that are overwritten."""

    def change(boot: TinyBoot) -> bytes:
        content = bytearray(boot.to_bytes())
        for offset, data in patches:
            content[offset : offset + len(data)] = data
        return bytes(content)

    return change


def in_file(path: str, offset: int, data: bytes) -> Change:
    """Bytes of a file that are overwritten, behind its end as well; a negative offset counts from its end."""

    def change(boot: TinyBoot) -> bytes:
        volume = boot.volume()
        at = offset if offset >= 0 else len(volume.files[path]) + offset
        content = bytearray(volume.to_bytes())
        place = volume.offset(path) + at
        content[place : place + len(data)] = data
        return bytes(content)

    return change


def volume_with(**fields: object) -> Change:
    def change(boot: TinyBoot) -> bytes:
        volume = boot.volume()
        for name, value in fields.items():
            setattr(volume, name, value)
        return volume.to_bytes()

    return change


def programs(of: str, sign: Callable[[bytes, Owner], bytes]) -> Change:
    """Puts other bytes in the place of the boot loader (both) or the kernel image, made from the unsigned one."""

    def change(boot: TinyBoot) -> None:
        if of == "kernel":
            boot.changed[KERNEL_PATH] = sign(boot.kernel.to_bytes(), boot.owner)
        else:
            boot.changed |= dict.fromkeys(LOADERS, sign(boot_loader(), boot.owner))

    return change


def kernel_with(**fields: object) -> Change:
    def change(boot: TinyBoot) -> None:
        boot.kernel = replace(boot.kernel, **fields)  # type: ignore[arg-type]

    return change


def section(name: str, content: bytes | None) -> Change:
    return lambda boot: kernel_with(changed={name: content})(boot)


def arguments(*more: str, without: str = "-") -> Change:
    return kernel_with(arguments=(*(argument for argument in ARGUMENTS if argument != without), *more))
