"""A machine with models, below a directory as its root: systemd, the journal and the models' servers are played."""

import json
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from claudine_runtime.plan import REST_BYTES
from claudine_runtime.shelf import Shelf
from claudine_state.host import Host
from claudine_state.run import CommandError
from tests.support.model_image import Owner, model_image

MIB = 1 << 20
OWN, OTHER = "own_1", "other_2"
_PROCESSES = {OWN: 811, OTHER: 812}
LOG = """\
cmn  common_param:   - CPU     : CPU (24105 MiB, 24105 MiB free)
cmn  common_param:   - Vulkan0 : AMD Radeon Graphics (RADV PHOENIX) (16384 MiB, 15000 MiB free)
load_tensors:          CPU model buffer size =    92.10 MiB
"""


def record(model: str, **changed: object) -> dict[str, object]:
    name, version = model.split("_")
    return {
        "name": name,
        "version": version,
        "title": f"The {name} model",
        "licence": "Apache-2.0",
        "sha256": "ab" * 32,
        "context_tokens": 8192,
        "weights_bytes": 100 * MIB,
        "kv_bytes_per_token": 23040,
        "compute_bytes": 16 * MIB,
        **changed,
    }


class SimulatedModels:
    """What the tests turn: *records* by model, and what goes wrong with the servers of *failing* ones."""

    def __init__(self, root: Path, owner: Owner, *, memory_bytes: int = 4096 * MIB) -> None:
        self.root = root
        self.owner = owner
        self.shelf = Shelf(Host(root, self.run), memory_bytes, poll_s=0.01)
        self.records: dict[str, dict[str, object]] = {}
        self.running: set[str] = set()
        self.failing: dict[str, tuple[str, str]] = {}
        self.restarts: dict[str, int] = {}
        # Ready only when it was looked at once.
        self.slow: set[str] = set()
        self.log = LOG
        self.kernel = ""
        self.calls: list[str] = []
        self._servers: dict[str, _Server] = {}
        self.put("sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f", owner.db())
        self.put("usr/share/claudine/model.json", json.dumps({"id": OWN, "context_tokens": 2048}))
        for folder in ("run/claudine-models", "var/lib/claudine-models", "run/claudine-runtime", "run/claudine-stick"):
            (root / folder).mkdir(parents=True)
        self.put("proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 7\n")
        self.records[OWN] = record(OWN)
        self.put(f"dev/disk/claudine-model_{OWN}", model_image(owner, seed=b"own"))
        self.shelf.link.symlink_to(f"{OWN}/llama.sock")
        self._start(OWN)

    def put(self, path: str, content: str | bytes = "") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def put_model(self, model: str, image: bytes | None = None, **changed: object) -> Path:
        """Have a model on the disk, signed by the owner unless *image* is something else."""
        self.records[model] = record(model, **changed)
        image = model_image(self.owner, seed=model.encode()) if image is None else image
        return self.put(f"var/lib/claudine-models/{model}.raw", image)

    def set_memory(self, for_models_bytes: int) -> None:
        self.shelf = Shelf(self.shelf.host, REST_BYTES + for_models_bytes, poll_s=0.01)

    def close(self) -> None:
        for server in self._servers.values():
            server.stop()

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", on_screen: bool = False) -> bytes:
        self.calls.append(" ".join(argv))
        match argv:
            case ["systemctl", "start", unit] if unit.startswith("claudine-model@"):
                self._look(unit)
            case ["systemctl", "start", unit] | ["systemctl", "--no-block", "start", unit]:
                self._start(_instance(unit))
            case ["systemctl", "stop", unit]:
                self._stop(_instance(unit))
            case ["systemctl", "reset-failed", unit]:
                self.restarts.pop(_instance(unit), None)
            case ["systemctl", "show", *_, unit]:
                return self._show(_instance(unit))
            case ["journalctl", *_, "--dmesg", "--quiet", "--output=cat", _]:
                return self.kernel.encode()
            case ["journalctl", *_, kind, unit] if kind.startswith("MESSAGE_ID="):
                return self._failure(kind, _instance(unit))
            case ["journalctl", *_]:
                return self.log.encode()
        return b""

    def _look(self, unit: str) -> None:
        name = _instance(unit)
        image = self.root / "run/claudine-models" / f"{name}.raw"
        # Of two images, the one that the link leads to.
        model = name if name in self.records else image.readlink().stem
        self.put(f"run/claudine-models/{name}.json", json.dumps(self.records[model]))

    def _start(self, model: str) -> None:
        result, _ = self.failing.get(model, ("", ""))
        if result == "at once":
            raise CommandError(["systemctl"], 1, "Job failed.")
        if result == "":
            (self.root / "run/claudine-runtime" / model).mkdir(exist_ok=True)
            if model not in self.slow:
                self._listen(model)
        else:
            self.restarts[model] = 1
        self.running.add(model)
        words = ["/usr/bin/llama-server", "--ctx-size", "2048", "--threads", "2", "--alias", "7b"]
        self.put(f"proc/{_PROCESSES[model]}/cmdline", "\0".join(words))
        self.put(f"proc/{_PROCESSES[model]}/io", f"rchar: {50 * MIB}\nwchar: 0\n")

    def _listen(self, model: str) -> None:
        self._servers[model] = _Server(self.root / "run/claudine-runtime" / model)

    def _stop(self, model: str) -> None:
        self.running.discard(model)
        if server := self._servers.pop(model, None):
            server.stop()

    def _show(self, model: str) -> bytes:
        if model in self.slow:
            self.slow.remove(model)
            self._listen(model)
        restarts = self.restarts.get(model, 0)
        runs = model in self.running and not restarts
        state: dict[str, Any] = {
            "ActiveState": "active" if runs else "activating" if restarts else "inactive",
            "SubState": "running" if runs else "auto-restart" if restarts else "dead",
            "MainPID": _PROCESSES[model] if runs else 0,
            "NRestarts": restarts,
            "InvocationID": "abc",
            "ExecMainStartTimestamp": "@1795000000",
        }
        return "".join(f"{name}={value}\n" for name, value in state.items()).encode()

    def _failure(self, kind: str, model: str) -> bytes:
        result, status = self.failing.get(model, ("", ""))
        if not result:
            return b""
        if kind.endswith("d9b373ed55a64feb8242e02dbe79a49c"):
            return json.dumps({"UNIT_RESULT": "exit-code" if result == "at once" else result}).encode()
        return json.dumps({"EXIT_STATUS": status}).encode()


def _instance(unit: str) -> str:
    return unit.partition("@")[2].removesuffix(".service")


class _Server:
    """Says 200 to everything."""

    def __init__(self, folder: Path) -> None:
        # A short name, whatever the folder is called.
        self._path = folder / "llama.sock"
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        short = Path("/tmp") / f"claudine-test-{id(self)}"
        short.symlink_to(folder)
        try:
            self._socket.bind(str(short / "llama.sock"))
        finally:
            short.unlink()
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n{}")

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        self._path.unlink(missing_ok=True)
