"""Sealing the disk to the TPM, and writing down to which state of the firmware it was sealed."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from claudine_state.header import SEAL_TOKEN, read_header, read_seals
from claudine_state.host import Host
from claudine_state.run import CommandError

# A digest that no policy has.
_NO_POLICY = {"tpm2-policy-hash": "0" * 64}


def read_pcr7(host: Host) -> str | None:
    """Return what the firmware measured about Secure Boot, in hex; None without a TPM."""
    try:
        return (host.root / "sys/class/tpm/tpm0/pcr-sha256/7").read_text().strip().lower()
    except OSError:
        return None


def seal(host: Host, key: bytes) -> None:
    """Seal the disk to this machine as it is now, in place of older seals; *key* unlocks it. Raises CommandError.

    The files are named although systemd-cryptenroll would find them: should they be missing, it would bind the disk
    to PCR 7 alone, and with the signature it tries the new seal before it writes it.

    Where it finds a seal of the same policy it does nothing, whichever TPM that seal is for. So the older seals get
    another policy first. They stay seals: should power fail meanwhile, the disk still is one that was sealed.
    """
    argv = [
        "systemd-cryptenroll",
        "--unlock-key-file=/dev/stdin",
        "--wipe-slot=tpm2",
        "--tpm2-device=auto",
        "--tpm2-pcrs=7",
        "--tpm2-public-key=/run/systemd/tpm2-pcr-public-key.pem",
        "--tpm2-public-key-pcrs=11",
        "--tpm2-signature=/run/systemd/tpm2-pcr-signature.json",
        str(host.partition),
    ]
    seals = read_seals(host)
    _replace_tokens(host, {number: token | _NO_POLICY for number, token in seals.items()})
    try:
        host.run(argv, stdin=key)
    except CommandError:
        _replace_tokens(host, seals)
        raise
    record_seal(host)


def _replace_tokens(host: Host, tokens: Mapping[str, Mapping[str, Any]]) -> None:
    for number, token in tokens.items():
        where = ["--token-id", number, "--token-replace", str(host.partition)]
        host.run(["cryptsetup", "token", "import", "--json-file", "-", *where], stdin=json.dumps(token).encode())


def record_seal(host: Host) -> None:
    """Write PCR 7 into the header, so that a later refusal of the TPM can be explained. Raises CommandError."""
    pcr7 = read_pcr7(host)
    if pcr7 is None:
        return
    token = {"type": SEAL_TOKEN, "keyslots": [], "pcrs": {"7": pcr7}}
    replaced = read_header(host).seal_token
    where = ["--token-id", replaced, "--token-replace"] if replaced else []
    argv = ["cryptsetup", "token", "import", "--json-file", "-", *where, str(host.partition)]
    host.run(argv, stdin=json.dumps(token).encode())


def record_missing_seal(host: Host) -> None:
    """Write PCR 7 down if nobody has yet: systemd-repart, which seals the disk first, does not.

    Right only while the TPM unlocks the disk, because then PCR 7 is as it was when the disk was sealed.
    """
    try:
        if read_header(host).seal_token is None:
            record_seal(host)
    except CommandError as error:
        # Only an explanation would be lost.
        print(f"PCR 7 could not be written into the disk's header: {error}", file=sys.stderr)
