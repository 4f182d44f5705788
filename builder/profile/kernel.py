"""Kernel arguments that a profile may add, and those that it may not.

The command line is part of the signed UKI. What decides which root is mounted, and which program or unit starts
first, comes from the build; a profile that set it again would either fight the build or open the image.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from builder.profile.validate import refuse

# What the kernel verifies of the root is not a profile's to say.
OWNED_PREFIXES = ("dm_verity.", "systemd.verity")

# Names as the kernel compares them: `-` and `_` are the same to it. With `rd.` before them they hold for the initrd.
OWNED = frozenset(
    {
        "init",
        "mount.usr",
        "rdinit",
        "root",
        "rootflags",
        "rootfstype",
        "roothash",
        "ro",
        "rw",
        "systemd.debug_shell",
        "systemd.image_policy",
        "systemd.mask",
        "systemd.run",
        "systemd.unit",
        "systemd.wants",
        "usrhash",
        # Words that systemd, or the init of old, takes for another target than the default.
        "_b",
        "1",
        "2",
        "3",
        "4",
        "5",
        "emergency",
        "rescue",
        "s",
        "single",
        # The kernel hands what follows to init.
        "__",
    }
)


def argument_name(argument: str) -> str:
    """Give the part of a kernel argument that says what it sets, as the kernel compares it."""
    return argument.partition("=")[0].replace("-", "_")


def _not_owned(argument: str) -> str:
    name = argument_name(argument).removeprefix("rd.").lower()
    if name == "console":
        raise refuse(f"must not hold {argument}", hint="Put the console's name into boot.console")
    if name in OWNED or name.startswith(OWNED_PREFIXES):
        raise refuse(
            f"must not hold {argument}: the build sets what the image mounts and starts",
            hint="Take it away; to start a unit, let an overlay enable it",
        )
    return argument


def _set_once(arguments: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for index, argument in enumerate(arguments):
        name = argument_name(argument)
        if name in seen:
            raise refuse(
                f"sets {name} a second time, after {seen[name]}",
                hint="Keep one: which of two the kernel obeys differs from argument to argument",
                at=(index,),
            )
        seen[name] = argument
    return arguments


KernelArgument = Annotated[
    str,
    Field(
        pattern=r"^[!#-&(-\[\]-~]+$",
        description="One kernel argument: ASCII without spaces, quotes and backslashes.",
        examples=["loglevel=4"],
    ),
    AfterValidator(_not_owned),
]
KernelArguments = Annotated[tuple[KernelArgument, ...], Field(strict=False), AfterValidator(_set_once)]
