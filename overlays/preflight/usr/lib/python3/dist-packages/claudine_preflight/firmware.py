"""Secure Boot: what the firmware says of it, and whether it would take the owner's keys."""

from dataclasses import dataclass

from claudine_state.facts import efi_flag
from claudine_state.host import Host


@dataclass(frozen=True)
class Firmware:
    """*secure_boot* and *setup_mode* as in UEFI 2.11, 3.3; None where the firmware does not say."""

    secure_boot: bool | None
    setup_mode: bool | None


def look(host: Host) -> Firmware:
    """Ask the firmware."""
    return Firmware(efi_flag(host.root, "SecureBoot"), efi_flag(host.root, "SetupMode"))
