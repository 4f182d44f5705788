"""What root can see of what the machine promises, for the client to show: one line of JSON for each connection.

    {"command_line": "aa4e…", "verity_table": "0 431216 verity 1 …", "runtime": {"process": 812, "namespace": …}, …}

Nothing is read from the other end, and nothing is judged here: the files' own words go out, so that whoever shows them
can show where each is from. What cannot be read is null.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path

from claudine_state.answer import Answer, send
from claudine_state.facts import efi_flag
from claudine_state.host import Host
from claudine_state.run import CommandError
from claudine_state.signer import DB, find_signer

# The link that names the model in use, as `ID/llama.sock` beside it (overlays/runtime).
_IN_USE = "run/claudine-runtime/llama.sock"
# A namespace with nothing in it has a few hundred bytes of these.
_LIMIT_BYTES = 8192
# The partition has 16 KiB; a stick with its name may have as much as it likes.
_SIGNATURE_BYTES = 64 * 1024


def give_evidence(host: Host, target: int = 1) -> None:
    """Write the evidence to *target*."""
    send(target, gather(host))


def gather(host: Host) -> Answer:
    """Look at everything once."""
    root_hash = _root_hash(_read(host, "proc/cmdline"))
    return {
        "secure_boot": efi_flag(host.root, "SecureBoot"),
        "setup_mode": efi_flag(host.root, "SetupMode"),
        "command_line": root_hash,
        "verity_table": _verity_table(host),
        "require_signatures": _read(host, "sys/module/dm_verity/parameters/require_signatures"),
        "signer": _signer(host, root_hash),
        "lockdown": _read(host, "sys/kernel/security/lockdown"),
        "host_namespace": _namespace(host, 1),
        "runtime": _runtime(host),
    }


def _read(host: Host, path: str) -> str | None:
    try:
        with (host.root / path).open("rb") as file:
            return file.read(_LIMIT_BYTES).decode(errors="replace").strip()
    except OSError:
        return None


def _root_hash(command_line: str | None) -> str | None:
    words = (command_line or "").split()
    return next((word.removeprefix("roothash=") for word in words if word.startswith("roothash=")), None)


def _verity_table(host: Host) -> str | None:
    try:
        return host.run(["dmsetup", "table", "root"]).decode(errors="replace").strip()
    except CommandError:
        return None


def _signer(host: Host, root_hash: str | None) -> Mapping[str, str] | None:
    partition = _signature_partition(host)
    if root_hash is None or partition is None:
        return None
    try:
        # JSON in a partition that is filled up with zeros (Discoverable Partitions Specification, "Verity").
        with partition.open("rb") as file:
            document = json.loads(file.read(_SIGNATURE_BYTES).rstrip(b"\0"))
        signature = base64.b64decode(document["signature"], validate=True)
        signer = find_signer(root_hash, signature, (host.root / DB).read_bytes())
    except (OSError, ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return None
    return {"subject": signer.subject, "sha256": signer.sha256} if signer else None


def _signature_partition(host: Host) -> Path | None:
    """Return the partition that the image's own name leads to; what is in it is checked, so any would do."""
    lines = (_read(host, "usr/lib/os-release") or "").splitlines()
    names = {name: value.strip("\"'") for name, _, value in (line.partition("=") for line in lines)}
    try:
        label = f"{names['IMAGE_ID']}_{names['IMAGE_VERSION']}_verity_sig"
    except KeyError:
        return None
    return host.root / "dev/disk/by-partlabel" / label


def _namespace(host: Host, process: int) -> int | None:
    try:
        # net:[4026531840], see namespaces(7).
        return int((host.root / f"proc/{process}/ns/net").readlink().name.removeprefix("net:[").removesuffix("]"))
    except (OSError, ValueError):
        return None


def _runtime(host: Host) -> Mapping[str, object] | None:
    try:
        model = (host.root / _IN_USE).readlink().parent.name
        unit = f"claudine-runtime@{model}.service"
        process = int(host.run(["systemctl", "show", "--property=MainPID", "--value", unit]))
    except (OSError, CommandError, ValueError):
        return None
    if process <= 0:
        return None
    return {
        "process": process,
        "namespace": _namespace(host, process),
        **{name: _read(host, f"proc/{process}/net/{name}") for name in ("dev", "route", "ipv6_route")},
    }
