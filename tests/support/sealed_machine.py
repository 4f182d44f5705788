"""A machine that keeps its promises, as the client sees it: files below a root, and the two services that testify.

    with SealedMachine(tmp_path) as machine:
        machine.evidence["setup_mode"] = True       # and breaks one of them

Each connection to a service gets what is in *evidence* or *attempts* at that moment; None hangs up without a word.
"""

import hashlib
import json
import socketserver
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.fake_models import FakeModels, usual_answers
from tests.support.service import UnixService

ROOT_HASH = "aa4eea4617fb1b3348d3a7423963b9ccc83af65c26abe3108a482d1f14622277"
FINGERPRINT = "a088b5bd2381e142967961e02f1918c63b2542c90e28ab797d3f0eb739e46773"
MODEL_ROOT_HASH = "bb" * 32
SIGNER = {"subject": "Ada Lovelace ClaudineOS verity", "sha256": FINGERPRINT}
WEIGHTS = b"weights" * 1000
MODEL = "tiny_1"
NAMESPACE, HOST_NAMESPACE = 4026532001, 4026531840
RUNTIME_SOCKET = "/run/claudine-runtime/llama.sock"

DEV = "Inter-|   Receive                  |  Transmit\n face |bytes    packets errs drop fifo frame|bytes    packets\n"
LO = "    lo:       0       0    0    0    0     0     0    0        0       0    0    0    0     0     0     0\n"
CARD = "  eth0:    5000      50    0    0    0     0     0    0     4000      40    0    0    0     0     0     0\n"
ROUTE = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
WAY_OUT = "eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
IPV6_ROUTE = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo\n"
UNIX = "Num       RefCount Protocol Flags    Type St Inode Path\n"
LISTENING = "0000000000000000: 00000002 00000000 00010000 0001 01 12345 {}\n"


class SealedMachine:
    """Its files are below *root*; its services listen in the folder of *control* while the ``with`` lasts."""

    def __init__(self, directory: Path, *, runtime_socket: str = RUNTIME_SOCKET) -> None:
        self.root = directory / "root"
        self.control = directory / "claudine-state/control.sock"
        self.control.parent.mkdir()
        self.models = usual_answers()
        self.evidence: dict[str, Any] | None = _evidence()
        self.attempts: dict[str, Any] | None = _attempts()
        self.put("proc/self/net/dev", DEV + LO)
        self.put("proc/self/net/route", ROUTE)
        self.put("proc/self/net/ipv6_route", IPV6_ROUTE)
        self.put("proc/self/net/unix", UNIX + LISTENING.format(runtime_socket))
        self.put("proc/self/ns/x")
        (self.root / "proc/self/ns/net").symlink_to(f"net:[{NAMESPACE}]")
        self.put_record(hashlib.sha256(WEIGHTS).hexdigest())
        self.put_weights(WEIGHTS)
        self._services = ExitStack()

    def put(self, path: str, content: str | bytes = "") -> Path:
        """Write a file below the root."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def put_record(self, sha256: str) -> None:
        """Write what the build recorded of the model."""
        record = {"id": MODEL, "name": "tiny", "title": "Tiny Model", "licence": "Apache-2.0", "sha256": sha256}
        self.put("usr/share/claudine/model.json", json.dumps({**record, "size_bytes": len(WEIGHTS)}))

    def put_weights(self, weights: bytes, *, signer: dict[str, str] | None = SIGNER) -> None:
        """Have the runtime run these, from an image that *signer* signed."""
        sha256 = hashlib.sha256(weights).hexdigest()
        self.models["hash"] = [
            {"step": "hashing", "percent": 100},
            {"done": True, "sha256": sha256, "root_hash": MODEL_ROOT_HASH, "signer": signer},
        ]

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            models = self.control.parent.with_name("claudine-models") / "control.sock"
            stack.enter_context(FakeModels(models, self.models))
            stack.enter_context(_Service(self.control.with_name("evidence.sock"), lambda: self.evidence))
            stack.enter_context(_Service(self.control.with_name("connect.sock"), lambda: self.attempts))
            self._services = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._services.close()


class _Service(UnixService):
    def __init__(self, path: Path, answer: Callable[[], dict[str, Any] | None]) -> None:
        self.answer = answer
        super().__init__(path, _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Service

    def handle(self) -> None:
        answer = self.server.answer()
        if answer is not None:
            self.wfile.write(json.dumps(answer).encode() + b"\n")


def _evidence() -> dict[str, Any]:
    table = f"0 431216 verity 1 254:2 254:3 4096 4096 53902 1 sha256 {ROOT_HASH} 00 2 root_hash_sig_key_desc systemd"
    return {
        "secure_boot": True,
        "setup_mode": False,
        "command_line": ROOT_HASH,
        "verity_table": table,
        "require_signatures": "Y",
        "signer": SIGNER,
        "lockdown": "none [integrity] confidentiality",
        "host_namespace": HOST_NAMESPACE,
        "runtime": {
            "process": 812,
            "namespace": NAMESPACE,
            "dev": DEV + LO,
            "route": ROUTE,
            "ipv6_route": IPV6_ROUTE,
        },
    }


def _attempts() -> dict[str, Any]:
    refused = {"error": "ENETUNREACH", "words": "Network is unreachable"}
    return {
        "namespace": f"net:[{NAMESPACE}]",
        "attempts": [
            {"what": "TCP to 192.0.2.1 port 443", **refused},
            {"what": "UDP to 2001:db8::1 port 443", **refused},
        ],
    }
