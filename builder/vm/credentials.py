"""System credentials for the guest's systemd, through SMBIOS.

systemd reads strings of SMBIOS type 11 that begin with `io.systemd.credential.binary:` as credentials (systemd(1),
"System credentials"); `systemd.extra-unit.*` and `systemd.unit-dropin.*` add units to a booted image without a change
to a single byte of it (systemd-debug-generator(8)). Real hardware offers its owner no such strings.
"""

import base64
from collections.abc import Mapping


def credential_arguments(credentials: Mapping[str, str]) -> list[str]:
    """Return QEMU's arguments that pass each credential (name → text) to the guest.

    Base64 has no comma, so nothing needs QEMU's escape.
    """
    arguments: list[str] = []
    for name, text in credentials.items():
        encoded = base64.b64encode(text.encode()).decode()
        arguments += ["-smbios", f"type=11,value=io.systemd.credential.binary:{name}={encoded}"]
    return arguments


def exec_quoted(text: str) -> str:
    r"""Quote one argument of `ExecStart=` so that systemd passes it on as it is (systemd.service(5)).

    >>> exec_quoted("echo $HOME 100%")
    '"echo $$HOME 100%%"'
    """
    for character, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("$", "$$"), ("%", "%%")):
        text = text.replace(character, escaped)
    return f'"{text}"'
