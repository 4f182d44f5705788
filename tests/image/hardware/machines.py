"""The machines that the image for mini-PCs is started on. Each part is on one of them at least."""

from dataclasses import dataclass

from builder.vm.hardware import Hardware


@dataclass(frozen=True)
class RealMachine:
    """A machine, and what sysfs shows of its parts: the way to its disk, and the drivers of TPM and screen."""

    hardware: Hardware
    disk_path: str
    tpm_driver: str
    frame_buffer: str


NVME = Hardware(disk="nvme", keyboard="usb", graphics="std", tpm="tis", network="e1000e", memory_mib=2048)
MACHINES = {
    "nvme": RealMachine(NVME, "/nvme/", "tpm_tis", "bochs"),
    "ahci": RealMachine(
        Hardware(disk="ahci", keyboard="usb-hub", graphics="virtio", tpm="crb", network="e1000e", memory_mib=8192),
        "/ata",
        "tpm_crb",
        "virtio",
    ),
    "usb": RealMachine(
        Hardware(disk="usb", keyboard="usb", graphics="virtio", tpm="crb", memory_mib=2048), "/usb", "tpm_crb", "virtio"
    ),
    "emmc": RealMachine(
        Hardware(disk="emmc", keyboard="ps2", graphics="std", tpm="tis", memory_mib=2048), "/mmc", "tpm_tis", "bochs"
    ),
}
