"""The virtual hardware: a small PC with the parts that an appliance has, and a network card only if it is asked for.

Everything is named (`-nodefaults`), so that a machine has what stands here and nothing else. By default the parts are
virtio's, which are the fastest to emulate; for images of real machines, there are the controllers that those have.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never

from builder.errors import BuilderError
from builder.vm.accel import Accelerator
from builder.vm.credentials import credential_arguments
from builder.vm.directory import MachineDirectory
from builder.vm.firmware import Firmware, FirmwareKeys, comma_safe, firmware_arguments
from builder.vm.last_words import last_words_credentials
from builder.vm.shell import shell_arguments, shell_credentials
from builder.vm.tpm import TpmInterface, tpm_arguments

LEAST_MEMORY_MIB = 1024

DiskController = Literal["virtio", "nvme", "ahci", "usb", "emmc"]
Keyboard = Literal["ps2", "usb", "usb-hub"]
NetworkCard = Literal["virtio", "e1000e"]
Graphics = Literal["virtio", "std"]


@dataclass(frozen=True)
class Hardware:
    """What can be chosen about a machine.

    `display` is none or gtk (a window); `serial` is file (the log, and what a program types) or terminal (the
    person's terminal, and the log). `guest_shell` adds what a test needs inside: the root shell, and the journal of a
    boot that fails. `firmware_keys` are those that the firmware trusts when the machine is new.

    `processor` is QEMU's name of one, None for the best that it can be. `disk` is what the disk hangs on, and
    `graphics` the card (std is a plain VGA card with a frame buffer, Linux's driver bochs). A PS/2 `keyboard` is part
    of the board; a USB one takes its place. `tpm` and `network` can be left away (None); each frame of a network card
    is recorded in the machine's directory.
    """

    memory_mib: int = 2048
    cpus: int = min(2, os.cpu_count() or 1)
    processor: str | None = None
    display: str = "none"
    serial: str = "file"
    guest_shell: bool = True
    firmware_keys: FirmwareKeys = "none"
    disk: DiskController = "virtio"
    keyboard: Keyboard = "ps2"
    graphics: Graphics = "virtio"
    tpm: TpmInterface | None = "tis"
    network: NetworkCard | None = None


@dataclass(frozen=True)
class Sockets:
    """The machine's unix sockets, and a pipe.

    `directory` must be short: a socket's path has at most 107 bytes (unix(7)).
    """

    directory: Path

    @property
    def qmp(self) -> Path:
        """QEMU's monitor."""
        return self.directory / "qmp"

    @property
    def shell(self) -> Path:
        """The guest's shell."""
        return self.directory / "shell"

    @property
    def tpm(self) -> Path:
        """The TPM's control channel."""
        return self.directory / "tpm"

    @property
    def serial_input(self) -> Path:
        """What is typed on the serial line: a pipe with a name."""
        return self.directory / "serial"

    @property
    def network(self) -> Path:
        """The network card's end of its cable: a datagram is a frame."""
        return self.directory / "network"

    @property
    def network_peer(self) -> Path:
        """The other end of that cable; frames are lost as long as nobody listens there."""
        return self.directory / "network-peer"


def check_hardware(hardware: Hardware, *, meminfo: Path = Path("/proc/meminfo")) -> None:
    """Refuse a machine that this host cannot hold, before it is built."""
    host_cpus = os.cpu_count() or 1
    if not 1 <= hardware.cpus <= host_cpus:
        raise BuilderError(
            f"a machine with {hardware.cpus} CPUs: this host has {host_cpus}", hint="Use --cpus 1 or more"
        )
    if hardware.memory_mib < LEAST_MEMORY_MIB:
        raise BuilderError(
            f"{hardware.memory_mib} MiB of memory are too little to load a model",
            hint=f"Use {LEAST_MEMORY_MIB} or more, for example --memory 2048",
        )
    available_mib = _available_mib(meminfo)
    if hardware.memory_mib > available_mib:
        raise BuilderError(
            f"a machine with {hardware.memory_mib} MiB of memory: this host has {available_mib} MiB to spare",
            hint="Close something, or use less, for example --memory 1536",
        )


def _available_mib(meminfo: Path) -> int:
    for line in meminfo.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) // 1024
    raise BuilderError(f"{meminfo} does not say how much memory is available")


def qemu_argv(
    hardware: Hardware,
    accelerator: Accelerator,
    firmware: Firmware,
    files: MachineDirectory,
    sockets: Sockets,
    board_id: str,
) -> list[str]:
    """Return QEMU's argument list for a machine; `board_id` is its UUID."""
    argv = [
        *("qemu-system-x86_64", "-name", "claudineos", "-nodefaults", "-no-user-config"),
        *("-uuid", board_id),
        *accelerator.arguments(hardware.processor),
        *("-smp", str(hardware.cpus), "-m", str(hardware.memory_mib)),
        *firmware_arguments(firmware, files.variables, ps2=hardware.keyboard == "ps2"),
        # For the USB parts below, and for what is plugged in while the machine runs (QMP `device_add`).
        *("-device", "qemu-xhci,id=usb,p2=8,p3=8"),
        *_disk_arguments(hardware.disk, files.disk),
        *_keyboard_arguments(hardware.keyboard),
        *(tpm_arguments(hardware.tpm, sockets.tpm) if hardware.tpm else []),
        *("-device", "virtio-rng-pci"),
        *(_network_arguments(hardware.network, files, sockets) if hardware.network else ["-nic", "none"]),
        *("-vga", hardware.graphics, "-display", hardware.display),
        *_serial_arguments(hardware, files.serial_log, sockets.serial_input),
        *("-qmp", f"unix:{sockets.qmp},server=on,wait=off"),
    ]
    if hardware.guest_shell:
        argv += shell_arguments(str(sockets.shell)) + credential_arguments(
            shell_credentials() | last_words_credentials()
        )
    return argv


def _disk_arguments(controller: DiskController, disk: Path) -> list[str]:
    """One disk, first in the boot order. QEMU opens the image behind it read-only, with a shared lock."""
    node = {
        "driver": "qcow2",
        "node-name": "disk",
        "discard": "unmap",
        "file": {"driver": "file", "filename": str(disk)},
    }
    return ["-blockdev", json.dumps(node), *_controller_arguments(controller)]


def _controller_arguments(controller: DiskController) -> list[str]:
    match controller:
        case "virtio":
            return ["-device", "virtio-blk-pci,drive=disk,bootindex=0"]
        case "nvme":
            return ["-device", "nvme,drive=disk,serial=claudineos,bootindex=0"]
        case "ahci":
            # The controller is part of the board.
            return ["-device", "ide-hd,drive=disk,bus=ide.0,bootindex=0"]
        case "usb":
            return ["-device", "usb-storage,drive=disk,bus=usb.0,bootindex=0"]
        case "emmc":
            # It has no place in QEMU's boot order; it is the only disk, so the firmware finds it all the same.
            return ["-device", "sdhci-pci", "-device", "emmc,drive=disk"]
        case _:
            assert_never(controller)


def _keyboard_arguments(keyboard: Keyboard) -> list[str]:
    match keyboard:
        case "ps2":
            return []
        case "usb":
            return ["-device", "usb-kbd,bus=usb.0"]
        case "usb-hub":
            return ["-device", "usb-hub,bus=usb.0,port=1", "-device", "usb-kbd,bus=usb.0,port=1.1"]
        case _:
            assert_never(keyboard)


def _network_arguments(card: NetworkCard, files: MachineDirectory, sockets: Sockets) -> list[str]:
    """A card without the ROM from which a firmware could boot over the network, and a recorder of its frames."""
    cable = f"local.type=unix,local.path={sockets.network},remote.type=unix,remote.path={sockets.network_peer}"
    device = "virtio-net-pci" if card == "virtio" else card
    return [
        *("-netdev", f"dgram,id=cable,{cable}"),
        *("-device", f"{device},netdev=cable,romfile="),
        *("-object", f"filter-dump,id=recorder,netdev=cable,file={comma_safe(files.network_capture)}"),
    ]


def _serial_arguments(hardware: Hardware, serial_log: Path, serial_input: Path) -> list[str]:
    if hardware.serial == "terminal":
        # The monitor shares the terminal (Ctrl+A, then C or X); Ctrl+C belongs to the guest.
        shared = f"stdio,id=serial,mux=on,signal=off,logfile={serial_log},logappend=off"
        return ["-chardev", shared, "-serial", "chardev:serial", "-monitor", "chardev:serial"]
    return ["-chardev", f"file,id=serial,path={serial_log},input-path={serial_input}", "-serial", "chardev:serial"]
