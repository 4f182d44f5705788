"""The machine's UEFI firmware: OVMF with Secure Boot, and the variables that it keeps.

The Secure Boot build of OVMF guards its variables with System Management Mode, so the machine must have SMM and the
flash must be writable from there only (OVMF's README, "SMM support"). Fresh variables hold no keys: the firmware is
in setup mode, systemd-boot enrols the keys that the image carries, and the machine restarts once.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from builder.errors import ToolError
from builder.toolchain import Toolchain


@dataclass(frozen=True)
class Firmware:
    """Where the firmware's code and its empty variables lie, in the tools tree."""

    code: Path
    empty_variables: Path


def open_firmware(toolchain: Toolchain) -> Firmware:
    """Find the firmware in the tools tree."""
    place = toolchain.tools_tree / "usr/share/OVMF"
    firmware = Firmware(place / "OVMF_CODE_4M.secboot.fd", place / "OVMF_VARS_4M.fd")
    for file in (firmware.code, firmware.empty_variables):
        if not file.is_file():
            raise ToolError(
                f"the tools tree has no {file.name}, the firmware that a virtual machine boots with Secure Boot",
                hint=f"Remove {toolchain.tools_tree} and start again: it is made anew, with Debian's package ovmf",
            )
    return firmware


def reset_variables(firmware: Firmware, variables: Path) -> None:
    """Give a machine empty firmware variables: no keys, no boot entries."""
    shutil.copyfile(firmware.empty_variables, variables)
    variables.chmod(0o600)


def firmware_arguments(firmware: Firmware, variables: Path) -> list[str]:
    """Return QEMU's arguments for a Q35 board with this firmware."""
    return [
        *("-machine", "q35,smm=on,pflash0=firmware-code,pflash1=firmware-variables"),
        *("-global", "driver=cfi.pflash01,property=secure,value=on"),
        *("-blockdev", f"driver=file,node-name=firmware-code,read-only=on,filename={comma_safe(firmware.code)}"),
        *("-blockdev", f"driver=file,node-name=firmware-variables,filename={comma_safe(variables)}"),
    ]


def comma_safe(path: Path) -> str:
    """Write a path for a QEMU option, where a comma ends a value unless it is doubled."""
    return str(path).replace(",", ",,")
