"""A machine without hardware: a LUKS2 partition as its programs let one see it, below a directory as its root."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

from claudine_state.host import Host
from claudine_state.run import CommandError

RECOVERY_KEY = "cbdefghi-jklnrtuv-vutrnlkj-ihgfedbc-cccccccc-vvvvvvvv-cvcvcvcv-jklnrtuv"
PASSPHRASE = "correct horse battery staple"
EFI_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"

Token = dict[str, object]


class SimulatedMachine:
    """Its programs do what the real ones do to *keys* (by key slot) and *tokens*; *failing* ones end with a code."""

    def __init__(self, root: Path, *, unlock: str = "tpm2") -> None:
        self.host = Host(root, self.run)
        self.keys = {"0": "what the TPM knows", "1": RECOVERY_KEY}
        self.tokens: dict[str, Token] = {"0": {"type": "systemd-tpm2", "keyslots": ["0"]}}
        self.is_luks = True
        self.resetting = False
        self.failing: dict[str, tuple[int, str]] = {}
        self.printed: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.put("usr/lib/claudine-state/unlock", unlock + "\n")
        self.properties: dict[str, dict[str, str]] = {}
        self.busy = False
        self.put("proc/self/mounts", "proc /proc proc rw 0 0\n")
        self.put("proc/sys/kernel/hostname", "claudine")
        for directory in ("run", "var", "dev/mapper", "sys/class/tpm", "sys/class/block"):
            (root / directory).mkdir(parents=True, exist_ok=True)

    def put(self, path: str, content: str | bytes = "") -> Path:
        file = self.host.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def put_partition(self) -> Path:
        return self.put("dev/disk/claudine-state", b"\xff" * 1024)

    def put_tpm(self, pcr7: str = "AA") -> None:
        self.put("sys/class/tpm/tpm0/pcr-sha256/7", pcr7 + "\n")
        self.put("run/systemd/tpm2-pcr-signature.json", "{}")

    def put_disk(self, name: str, bus: str, parts: int = 1, *, sequence: int = 17, **properties: str) -> None:
        """Plug in a disk with *parts* partitions, or none; *properties* are udev's of each file system on it."""
        disk = f"sys/devices/{bus}/block/{name}"
        for number in range(parts + 1):
            node, path = (f"{name}{number}", f"{disk}/{name}{number}") if number else (name, disk)
            self.put(f"{path}/size", "8192\n")
            (self.host.root / path / "holders").mkdir()
            (self.host.root / "sys/class/block" / node).symlink_to(self.host.root / path)
            if number:
                self.put(f"{path}/partition", f"{number}\n")
            if number or not parts:
                self.properties[node] = {"ID_FS_USAGE": "filesystem", "ID_FS_TYPE": "vfat", **properties}
        self.put(f"{disk}/diskseq", f"{sequence}\n")

    def mounted(self) -> list[str]:
        """Where something is mounted, but for /proc."""
        mounts = (self.host.root / "proc/self/mounts").read_text().splitlines()
        return [line.split()[1] for line in mounts[1:]]

    def put_efi_flag(self, name: str, value: bool) -> None:
        self.put(f"sys/firmware/efi/efivars/{name}-{EFI_GLOBAL}", bytes([6, 0, 0, 0, value]))

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", on_screen: bool = False) -> bytes:
        words = " ".join(argv)
        self.calls.append(words)
        for beginning, (returncode, reason) in self.failing.items():
            if words.startswith(beginning):
                raise CommandError(argv, returncode, reason)
        match argv:
            case ["cryptsetup", "luksDump", *_]:
                return self._dump()
            case ["cryptsetup", "open", *_]:
                self._open(stdin.decode())
            case ["cryptsetup", "token", "import", *options, _]:
                number = options[options.index("--token-id") + 1] if "--token-id" in options else _free(self.tokens)
                assert (number in self.tokens) == ("--token-replace" in options)
                self.tokens[number] = json.loads(stdin)
            case ["cryptsetup", "luksErase", *_]:
                self.keys.clear()
            case ["systemd-cryptenroll", *options, _]:
                return self._enroll(options, stdin.decode())
            case ["udevadm", "info", "--query=property", name]:
                properties = self.properties[name.removeprefix("--name=/dev/")]
                return "".join(f"{key}={value}\n" for key, value in properties.items()).encode()
            case ["systemd-mount", *_, what, where]:
                self.put("proc/self/mounts", f"proc /proc proc rw 0 0\n{what} {where} vfat rw 0 0\n")
            case ["systemctl", "stop", r"run-claudine\x2dstick-files.mount"] if not self.busy:
                self.put("proc/self/mounts", "proc /proc proc rw 0 0\n")
            case ["/usr/lib/systemd/systemd-factory-reset", "status", *_] if self.resetting:
                raise CommandError(argv, 10, "")
        return next((output for beginning, output in self.printed.items() if words.startswith(beginning)), b"")

    def called(self, beginning: str) -> bool:
        return any(call.startswith(beginning) for call in self.calls)

    def _dump(self) -> bytes:
        if not self.is_luks:
            raise CommandError(["cryptsetup"], 1, "Device is not a valid LUKS device.")
        return json.dumps({"keyslots": {slot: {} for slot in self.keys}, "tokens": self.tokens}).encode()

    def _open(self, key: str) -> None:
        if key not in self.keys.values():
            raise CommandError(["cryptsetup"], 2, "No key available with this passphrase.")
        self.put("dev/mapper/state")

    def _enroll(self, options: Sequence[str], key: str) -> bytes:
        wiped = {"systemd-recovery"} if "--recovery-key" in options else {"systemd-tpm2"}
        if "--unlock-key-file=/dev/stdin" in options and key not in self.keys.values():
            raise CommandError(["systemd-cryptenroll"], 1, "Failed to unlock.")
        slot = _free(self.keys)
        self.keys[slot] = RECOVERY_KEY if "--recovery-key" in options else "what the TPM knows now"
        for number in [number for number, token in self.tokens.items() if token["type"] in wiped]:
            del self.tokens[number]
        self.tokens[_free(self.tokens)] = {"type": wiped.pop(), "keyslots": [slot]}
        return f"{RECOVERY_KEY}\n".encode() if "--recovery-key" in options else b""


def _free(taken: dict[str, str] | dict[str, Token]) -> str:
    return next(str(number) for number in itertools.count() if str(number) not in taken)
