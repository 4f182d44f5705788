"""The machine's UEFI firmware: OVMF with Secure Boot, and the variables that it keeps.

The Secure Boot build of OVMF guards its variables with System Management Mode, so the machine must have SMM and the
flash must be writable from there only (OVMF's README, "SMM support"). Fresh variables normally hold no keys: the
firmware is in setup mode, systemd-boot enrols the keys that the image carries, and the machine restarts once. A machine
as it is sold has its vendor's keys instead, which are Microsoft's here, and Secure Boot on: it refuses our image.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from builder.errors import ToolError
from builder.toolchain import Toolchain

FirmwareKeys = Literal["none", "vendor"]
_VARIABLES: dict[FirmwareKeys, str] = {"none": "OVMF_VARS_4M.fd", "vendor": "OVMF_VARS_4M.ms.fd"}


@dataclass(frozen=True)
class Firmware:
    """Where the firmware's code and the variables of a new machine lie, in the tools tree."""

    code: Path
    new_variables: Path


def open_firmware(toolchain: Toolchain, keys: FirmwareKeys = "none") -> Firmware:
    """Find the firmware in the tools tree."""
    place = toolchain.tools_tree / "usr/share/OVMF"
    firmware = Firmware(place / "OVMF_CODE_4M.secboot.fd", place / _VARIABLES[keys])
    for file in (firmware.code, firmware.new_variables):
        if not file.is_file():
            raise ToolError(
                f"the tools tree has no {file.name}, the firmware that a virtual machine boots with Secure Boot",
                hint=f"Remove {toolchain.tools_tree} and start again: it is made anew, with Debian's package ovmf",
            )
    return firmware


def reset_variables(firmware: Firmware, variables: Path) -> None:
    """Give a machine the firmware variables of a new one: no boot entries, and nobody's keys or its vendor's."""
    shutil.copyfile(firmware.new_variables, variables)
    variables.chmod(0o600)


def firmware_arguments(firmware: Firmware, variables: Path, *, ps2: bool = True) -> list[str]:
    """Return QEMU's arguments for a Q35 board with this firmware, and with or without its PS/2 controller."""
    i8042 = "on" if ps2 else "off"
    return [
        *("-machine", f"q35,smm=on,i8042={i8042},pflash0=firmware-code,pflash1=firmware-variables"),
        *("-global", "driver=cfi.pflash01,property=secure,value=on"),
        *("-blockdev", f"driver=file,node-name=firmware-code,read-only=on,filename={comma_safe(firmware.code)}"),
        *("-blockdev", f"driver=file,node-name=firmware-variables,filename={comma_safe(variables)}"),
    ]


def comma_safe(path: Path) -> str:
    """Write a path for a QEMU option, where a comma ends a value unless it is doubled."""
    return str(path).replace(",", ",,")
