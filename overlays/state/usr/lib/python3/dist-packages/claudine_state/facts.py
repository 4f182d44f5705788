"""What can be seen of the disk and of what guards it. Looking changes nothing."""

from dataclasses import dataclass
from pathlib import Path

from claudine_state.header import Header, read_header
from claudine_state.host import Host, Unlock
from claudine_state.run import CommandError
from claudine_state.seal import read_pcr7

_EFI_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"


@dataclass(frozen=True)
class Facts:
    """One look at the machine. *header* is None where there is none; then *header_error* is cryptsetup's reason."""

    unlock: Unlock
    has_tpm: bool = False
    has_partition: bool = False
    header: Header | None = None
    header_error: str = ""
    is_open: bool = False
    is_mounted: bool = False
    pcr7: str | None = None
    has_signature: bool = False
    secure_boot: bool | None = None
    setup_mode: bool | None = None


def look(host: Host) -> Facts:
    """Gather the facts."""
    has_partition = host.partition.exists()
    header, header_error = _header(host) if has_partition else (None, "")
    return Facts(
        unlock=host.unlock(),
        has_tpm=(host.root / "sys/class/tpm/tpm0").exists(),
        has_partition=has_partition,
        header=header,
        header_error=header_error,
        is_open=host.volume.exists(),
        is_mounted=_is_mounted(host.root / "proc/self/mounts", "/var"),
        pcr7=read_pcr7(host),
        has_signature=(host.root / "run/systemd/tpm2-pcr-signature.json").exists(),
        secure_boot=efi_flag(host.root, "SecureBoot"),
        setup_mode=efi_flag(host.root, "SetupMode"),
    )


def _header(host: Host) -> tuple[Header | None, str]:
    try:
        return read_header(host), ""
    except CommandError as error:
        return None, str(error)


def _is_mounted(mounts: Path, where: str) -> bool:
    return any(line.split()[1] == where for line in mounts.read_text().splitlines())


def efi_flag(root: Path, name: str) -> bool | None:
    """Return what the firmware says of one of its switches; None if it does not say."""
    try:
        # Four bytes of attributes, then the value.
        return (root / f"sys/firmware/efi/efivars/{name}-{_EFI_GLOBAL}").read_bytes()[4] == 1
    except (OSError, IndexError):
        return None
