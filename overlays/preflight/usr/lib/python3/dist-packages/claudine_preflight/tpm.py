"""The TPM: its version, and whether it gives back what it has sealed.

The test is that of a credential (systemd-creds(1)). Like any use of a TPM by systemd it may leave the TPM's storage
root key there, which depends on nothing but the TPM; the disk is not touched.
"""

from dataclasses import dataclass

from claudine_preflight import sysfs
from claudine_state.host import Host
from claudine_state.run import CommandError

_SECRET = b"a test value"
_NAME = "--name=claudine-preflight"


@dataclass(frozen=True)
class Tpm:
    """*version* is "" for no TPM; *seal_error* is the reason why sealing failed, "" if it worked or was not tried."""

    version: str = ""
    has_sha256: bool = False
    seal_error: str = ""


def look(host: Host) -> Tpm:
    """Look for a TPM 2.0, and let it seal something."""
    directory = host.root / "sys/class/tpm/tpm0"
    if not directory.exists():
        return Tpm()
    major = sysfs.value(directory / "tpm_version_major")
    if major != "2":
        return Tpm(version="1.2" if major == "1" else "unknown")
    return Tpm("2.0", (directory / "pcr-sha256/7").exists(), _seal_error(host))


def _seal_error(host: Host) -> str:
    try:
        sealed = host.run(["systemd-creds", "encrypt", "--with-key=tpm2", _NAME, "-", "-"], stdin=_SECRET)
        opened = host.run(["systemd-creds", "decrypt", _NAME, "-", "-"], stdin=sealed)
    except CommandError as error:
        return str(error)
    return "" if opened == _SECRET else "it gave back something else than it was given"
