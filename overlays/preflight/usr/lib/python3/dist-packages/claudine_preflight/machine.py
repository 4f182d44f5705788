"""One look at the whole machine."""

from contextlib import suppress
from dataclasses import dataclass

from claudine_preflight import cards, compute, devices, disks, firmware, processor, tpm
from claudine_preflight.cards import Cards
from claudine_preflight.compute import Compute
from claudine_preflight.devices import Devices
from claudine_preflight.disks import MODEL_LABEL, Disk
from claudine_preflight.firmware import Firmware
from claudine_preflight.processor import Processor
from claudine_preflight.tpm import Tpm
from claudine_state.host import Host, Unlock
from claudine_state.run import CommandError


@dataclass(frozen=True)
class Machine:
    """What was found. *has_keys* says whether the owner's keys lie on the EFI system partition; None: not known."""

    unlock: Unlock
    firmware: Firmware
    has_keys: bool | None
    tpm: Tpm
    memory_bytes: int
    processor: Processor
    disks: tuple[Disk, ...]
    cards: Cards
    compute: Compute
    devices: Devices

    @property
    def started_from(self) -> Disk | None:
        """The disk with the root that runs now."""
        return next((disk for disk in self.disks if disk.started_from), None)

    @property
    def model_bytes(self) -> int:
        """The size of the largest model that came with the image, 0 if there is none."""
        labels = self.started_from.labels if self.started_from else {}
        return max((size for label, size in labels.items() if label.startswith(MODEL_LABEL)), default=0)


def look(host: Host, *, has_keys: bool | None) -> Machine:
    """Look at everything once, when all devices have their drivers."""
    # A device that is still not there then is what the report is about.
    with suppress(CommandError):
        host.run(["udevadm", "settle", "--timeout=30"])
    return Machine(
        unlock=host.unlock(),
        firmware=firmware.look(host),
        has_keys=has_keys,
        tpm=tpm.look(host),
        memory_bytes=_memory_bytes(host),
        processor=processor.look(host),
        disks=disks.look(host),
        cards=cards.look(host),
        compute=compute.look(host),
        devices=devices.look(host),
    )


def _memory_bytes(host: Host) -> int:
    lines = (host.root / "proc/meminfo").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal:")), 0)
