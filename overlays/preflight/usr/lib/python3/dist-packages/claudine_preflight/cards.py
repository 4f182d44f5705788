"""Graphics cards and screens, disks that a controller hides, and network cards: what the PCI bus shows."""

from dataclasses import dataclass

from claudine_preflight import sysfs
from claudine_state.host import Host

_VENDORS = {0x1002: "AMD", 0x10DE: "NVIDIA", 0x1234: "QEMU", 0x1AF4: "virtio", 0x8086: "Intel"}
_DISPLAY, _NETWORK, _RAID = 0x03, 0x02, 0x0104


@dataclass(frozen=True)
class Card:
    """A PCI device by its vendor and numbers; *driver* is "" where the image has none."""

    name: str
    driver: str


@dataclass(frozen=True)
class Cards:
    """The PCI devices that matter here, and the connectors that have a screen."""

    graphics: tuple[Card, ...]
    network: tuple[Card, ...]
    raid: tuple[Card, ...]
    screens: tuple[str, ...]


def look(host: Host) -> Cards:
    """Look at the PCI bus and at the graphics drivers' connectors."""
    graphics, network, raid = [], [], []
    for path in sorted((host.root / "sys/bus/pci/devices").glob("*")):
        # Base class, subclass and programming interface (PCI Code and ID Assignment Specification).
        code = sysfs.number(path / "class") or 0
        vendor, device = sysfs.number(path / "vendor") or 0, sysfs.number(path / "device") or 0
        driver = path / "driver"
        name = f"{_VENDORS.get(vendor, 'unknown')} {vendor:04x}:{device:04x}"
        card = Card(name, driver.resolve().name if driver.exists() else "")
        if code >> 16 == _DISPLAY:
            graphics.append(card)
        elif code >> 16 == _NETWORK:
            network.append(card)
        elif code >> 8 == _RAID:
            raid.append(card)
    connectors = sorted((host.root / "sys/class/drm").glob("card*-*/status"))
    screens = [path.parent.name.partition("-")[2] for path in connectors if sysfs.value(path) == "connected"]
    return Cards(tuple(graphics), tuple(network), tuple(raid), tuple(screens))
