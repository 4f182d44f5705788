"""The firmware's own switch for Secure Boot, as its setup menu keeps it (OVMF's SecureBootEnable)."""

from pathlib import Path
from uuid import UUID

_NAME = "SecureBootEnable\0".encode("utf-16-le")
_VENDOR = UUID("f0a30bc7-af08-4556-99c4-001009c93a44")


def switch_off(variables: Path) -> None:
    """Turn Secure Boot off in a machine's firmware variables."""
    content = bytearray(variables.read_bytes())
    # Header with the vendor at its end, name, value (edk2, VariableFormat.h).
    position = content.find(_VENDOR.bytes_le + _NAME) + len(_VENDOR.bytes_le + _NAME)
    assert content[position] == 1, "Secure Boot is not on"
    content[position] = 0
    variables.write_bytes(content)
