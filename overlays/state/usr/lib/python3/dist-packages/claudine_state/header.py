"""What the LUKS2 header of the partition says. Whoever holds the disk can write it: nothing in it is trusted."""

import json
from dataclasses import dataclass
from typing import Any

from claudine_state.host import Host

SEAL_TOKEN = "claudine-seal"
TPM_TOKEN = "systemd-tpm2"


@dataclass(frozen=True)
class Header:
    """The parts of a LUKS2 header that matter here; key slots are named by their numbers.

    *sealed_pcr7* is what PCR 7 was, in hex, when the disk was sealed to the TPM, if that was written down in the
    token *seal_token*.
    """

    keyslots: frozenset[str] = frozenset()
    sealed: bool = False
    recovery_keyslots: frozenset[str] = frozenset()
    seal_token: str | None = None
    sealed_pcr7: str | None = None


def read_header(host: Host) -> Header:
    """Read the partition's header. Raises CommandError if it has none that cryptsetup can read."""
    return parse_header(_metadata(host))


def read_seals(host: Host) -> dict[str, dict[str, Any]]:
    """Read the tokens of the disk's seals to a TPM, by their numbers. Raises CommandError as :func:`read_header`."""
    tokens = _mapping(_mapping(json.loads(_metadata(host))).get("tokens"))
    return {number: token for number, token in tokens.items() if _mapping(token).get("type") == TPM_TOKEN}


def _metadata(host: Host) -> bytes:
    return host.run(["cryptsetup", "luksDump", "--dump-json-metadata", str(host.partition)])


def parse_header(metadata: bytes) -> Header:
    """Return what LUKS2 *metadata* (JSON) says; what has not the expected shape counts as not there."""
    document = _mapping(json.loads(metadata))
    tokens = {number: _mapping(token) for number, token in _mapping(document.get("tokens")).items()}
    seal_token = next((number for number, token in tokens.items() if token.get("type") == SEAL_TOKEN), None)
    pcr7 = _mapping(tokens[seal_token].get("pcrs")).get("7") if seal_token else None
    return Header(
        keyslots=frozenset(_mapping(document.get("keyslots"))),
        sealed=any(token.get("type") == TPM_TOKEN for token in tokens.values()),
        recovery_keyslots=frozenset(
            slot
            for token in tokens.values()
            if token.get("type") == "systemd-recovery" and isinstance(token.get("keyslots"), list)
            for slot in token["keyslots"]
            if isinstance(slot, str)
        ),
        seal_token=seal_token,
        sealed_pcr7=pcr7 if isinstance(pcr7, str) else None,
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
