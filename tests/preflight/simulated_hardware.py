"""A small computer as the kernel shows one, below a directory as its root, with programs that say what is put here."""

import json
from collections.abc import Sequence
from pathlib import Path

from claudine_state.host import Host
from claudine_state.run import CommandError

EFI_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
ESP = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
GIB = 1 << 30
LETTERS = "B: KEY=1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
POWER_BUTTON = "B: KEY=8000 10000000000000 0"
V2 = "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3"
V3 = f"{V2} abm avx avx2 bmi1 bmi2 f16c fma movbe xsave"
SERVER_SAYS = """0.00.152.376 I load_backend: loaded CPU backend from /usr/lib/ggml/backends0/libggml-cpu-alderlake.so
Available devices:
  Vulkan0: Intel(R) Graphics (ADL-N) (7800 MiB, 7100 MiB free)
"""


class SimulatedHardware:
    """A good mini-PC; what a test takes away or puts is then missing or there. *esp* is what is on that partition."""

    def __init__(self, root: Path) -> None:
        self.host = Host(root, self.run)
        self.calls: list[str] = []
        self.failing: dict[str, str] = {}
        self.server_says = SERVER_SAYS
        self.esp = root / "run/claudine-preflight/esp"
        self.put("usr/lib/claudine-state/unlock", "tpm2\n")
        self.put("usr/share/claudine/gpu", "vulkan\n")
        self.efi_flag("SecureBoot", True)
        self.efi_flag("SetupMode", False)
        self.put(
            f"sys/firmware/efi/efivars/LoaderDevicePartUUID-{LOADER}",
            b"\6\0\0\0" + f"{ESP}\0".upper().encode("utf-16-le"),
        )
        self.put(f"dev/disk/by-partuuid/{ESP}")
        for name in ("PK", "KEK", "db"):
            self.put(f"run/claudine-preflight/esp/loader/keys/auto/{name}.auth")
        self.put("sys/class/tpm/tpm0/tpm_version_major", "2\n")
        self.put("sys/class/tpm/tpm0/pcr-sha256/7", "AA\n")
        self.memory(8 * GIB)
        self.processor(V3)
        self.disk("nvme0n1", "pci0000:00/0000:01:00.0/nvme/nvme0", 238 * GIB, root=True)
        self.pci("0000:00:02.0", 0x030000, 0x8086, 0x46D1, "i915")
        self.put("sys/class/drm/card0-HDMI-A-1/status", "connected\n")
        self.put("sys/class/drm/card0-DP-1/status", "disconnected\n")
        self.inputs(("Power Button", POWER_BUTTON), ("USB Keyboard", LETTERS))
        self.sensor("coretemp", 41000, 44000)

    def put(self, path: str, content: str | bytes = "") -> Path:
        file = self.host.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def take(self, path: str) -> None:
        (self.host.root / path).unlink()

    def efi_flag(self, name: str, value: bool) -> None:
        self.put(f"sys/firmware/efi/efivars/{name}-{EFI_GLOBAL}", bytes([6, 0, 0, 0, value]))

    def memory(self, size_bytes: int) -> None:
        self.put("proc/meminfo", f"MemTotal:       {size_bytes // 1024} kB\nMemFree:        1 kB\n")

    def processor(self, flags: str, threads: int = 8, cores: int = 4) -> None:
        same = f"model name\t: Intel(R) N100\nphysical id\t: 0\nflags\t\t: {flags}\n"
        blocks = (f"processor\t: {it}\n{same}core id\t\t: {it % cores}\n" for it in range(threads))
        self.put("proc/cpuinfo", "\n".join(blocks) + "\n")

    def disk(self, name: str, bus: str, size_bytes: int, *, root: bool = False, model: str = "SSD 1000") -> None:
        """A disk; with *root*, it has the image on it: ESP, root and a model, 2 GiB in all."""
        path = f"sys/devices/{bus}/{name}"
        self.put(f"{path}/size", f"{size_bytes // 512}\n")
        self.put(f"{path}/device/model", f"{model}   \n")
        self._block(name, path)
        if root:
            for number, (label, start, size) in enumerate(
                (
                    ("esp", 2048, GIB),
                    ("claudineos_0.1.0", GIB, GIB // 2),
                    ("claudine-model_a_1", GIB * 3 // 2, GIB // 2),
                ),
                1,
            ):
                self.partition(name, path, number, label, start, size)
            dm = "sys/devices/virtual/block/dm-0"
            self.put(f"{dm}/dm/name", "root\n")
            self._block("dm-0", dm)
            (self.host.root / dm / "slaves").mkdir()
            (self.host.root / dm / f"slaves/{name}p2").symlink_to(self.host.root / path / f"{name}p2")

    def partition(self, disk: str, path: str, number: int, label: str, start_bytes: int, size_bytes: int) -> None:
        name = f"{disk}p{number}"
        self.put(f"{path}/{name}/partition", f"{number}\n")
        self.put(f"{path}/{name}/start", f"{start_bytes // 512}\n")
        self.put(f"{path}/{name}/size", f"{size_bytes // 512}\n")
        self.put(f"{path}/{name}/uevent", f"DEVTYPE=partition\nPARTN={number}\nPARTNAME={label}\n")
        self._block(name, f"{path}/{name}")

    def _block(self, name: str, path: str) -> None:
        link = self.host.root / "sys/class/block" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(self.host.root / path)

    def pci(self, slot: str, code: int, vendor: int, device: int, driver: str = "") -> None:
        for name, value in (("class", code), ("vendor", vendor), ("device", device)):
            self.put(f"sys/bus/pci/devices/{slot}/{name}", f"{value:#06x}\n")
        if driver:
            place = self.host.root / "sys/bus/pci/drivers" / driver
            place.mkdir(parents=True, exist_ok=True)
            (self.host.root / f"sys/bus/pci/devices/{slot}/driver").symlink_to(place)

    def inputs(self, *devices: tuple[str, str]) -> None:
        blocks = (f'I: Bus=0003\nN: Name="{name}"\nH: Handlers=sysrq kbd\n{keys}\n' for name, keys in devices)
        self.put("proc/bus/input/devices", "\n".join(blocks))

    def sensor(self, name: str, *millidegrees: int) -> None:
        self.put(f"sys/class/hwmon/{name}/name", f"{name}\n")
        for number, value in enumerate(millidegrees, 1):
            self.put(f"sys/class/hwmon/{name}/temp{number}_input", f"{value}\n")

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", on_screen: bool = False) -> bytes:
        words = " ".join(argv)
        self.calls.append(words)
        for beginning, reason in self.failing.items():
            if words.startswith(beginning):
                raise CommandError(argv, 1, reason)
        match argv:
            case ["systemd-creds", "encrypt", *_]:
                return json.dumps({"sealed": stdin.decode()}).encode()
            case ["systemd-creds", "decrypt", *_]:
                return str(json.loads(stdin)["sealed"]).encode()
            case ["timeout", *_]:
                return self.server_says.encode()
        return b""
