"""What Claudine says about the machine: first person, calm; facts first, then what will not work and what can be done.

A report is plain text, so that it can be read on the console, on a serial line, and on any other computer.
"""

import textwrap
from collections.abc import Iterable

from claudine_preflight.findings import GIB, PREVENTS_START, REST_BYTES, Finding, Kind
from claudine_preflight.machine import Machine

# One less than the screen has, so that no terminal begins a new line of its own.
_WIDTH = 79
_INDENT = 14

TITLE = "Claudine: what I found in this machine"
LOOKING = "I am looking at this machine. That takes up to a minute, and leaves everything as it is."
PREVENTS = "I cannot start here as long as this is so:"
LIMITS = "This will not work, but I can start:"
LIMITS_TOO = "This will not work either:"
ALL_WELL = "Everything that I need is here."
LEFT = "The same text is on the EFI system partition of this disk, in the file {name}."
NOT_LEFT = "I could not write this text to the EFI system partition: {error}."
KEYS = "[R] restart\n[P] power off"
GOING_DOWN = "A moment, please."

_FINDINGS = {
    Kind.SETUP_MODE: (
        "Secure Boot checks nothing yet: the firmware is in setup mode, so it will take your keys. Restart, hold the "
        "space bar until the menu is there, and choose Enroll Secure Boot keys."
    ),
    Kind.FOREIGN_KEYS: (
        "Secure Boot is off. If the firmware has your keys already, switch it on in its settings. If not, let the "
        "settings bring it into setup mode (delete or clear all Secure Boot keys), and check again."
    ),
    Kind.SECURE_BOOT_UNKNOWN: "The firmware does not say whether Secure Boot is on. I rely on it, and do not start.",
    Kind.NO_KEYS: "The keys to enrol (loader/keys/auto) are not on the EFI system partition. Flash the image again.",
    Kind.NO_TPM: (
        "I seal my disk to a TPM 2.0, and this machine shows none. Turn it on in the firmware settings, where it is "
        "called fTPM, PTT or Security Device. Without one, an image built with `storage.unlock: passphrase` works."
    ),
    Kind.OLD_TPM: (
        "The TPM has version {about}, and I need 2.0. Some firmware settings let one choose; if not, an image built "
        "with `storage.unlock: passphrase` works."
    ),
    Kind.NO_SHA256: (
        "The TPM keeps no SHA-256 values of what was started. Turn on its SHA-256 PCR bank in the firmware settings."
    ),
    Kind.SEAL_FAILED: (
        "The TPM did not seal a test value and give it back: {about}. If that stays so after the power was off, clear "
        "the TPM in the firmware settings, if nobody else needs it."
    ),
    Kind.LITTLE_MEMORY: (
        "The machine has {memory} of memory. The model in this image takes {model}, and everything else {rest}."
    ),
    Kind.LITTLE_ROOM: "The disk {about} has too little room behind this image. Take one that is at least 2 GB larger.",
    Kind.NO_KEYBOARD: "I see no keyboard. A USB one works in any port; one with a radio needs its own receiver.",
    Kind.NO_COMPUTE: "The model's server does not run here: {about}.",
    Kind.SLOW_PROCESSOR: (
        "The processor is older than x86-64-v3 (it has no AVX2), so I shall answer slowly; a small model is best."
    ),
    Kind.NO_VULKAN: (
        "This image can let the model compute with the graphics, but Vulkan shows none that it could use. It will "
        "compute with the processor."
    ),
    Kind.NO_GRAPHICS_DRIVER: (
        "This image has no driver for the graphics card {about}. A screen that is plugged into it may stay dark, and "
        "the model does not use it."
    ),
    Kind.HIDDEN_DISKS: (
        "The storage controller {about} joins disks (RAID, Intel RST or VMD), and I have no driver for it. Set it to "
        "AHCI or NVMe in the firmware settings if a disk is missing above."
    ),
    Kind.HOT: "The sensor {about} is hot although nothing runs. Look at the fan and the dust in it.",
}


def report(machine: Machine, findings: Iterable[Finding]) -> str:
    """Say everything that was found, as text of lines that no console has to break."""
    facts = "\n".join(_row(label, text) for label, text in _facts(machine))
    return "\n\n".join([TITLE, facts, *_problems(machine, tuple(findings))]) + "\n"


def sentence(finding: Finding, machine: Machine) -> str:
    """Say what will not work."""
    return _FINDINGS[finding.kind].format(
        about=finding.about,
        memory=_size(machine.memory_bytes),
        model=_size(machine.model_bytes),
        rest=_size(REST_BYTES),
    )


def _problems(machine: Machine, findings: tuple[Finding, ...]) -> list[str]:
    grave = [sentence(finding, machine) for finding in findings if finding.kind in PREVENTS_START]
    others = [sentence(finding, machine) for finding in findings if finding.kind not in PREVENTS_START]
    said = []
    if grave:
        said.append(_list(PREVENTS, grave))
    if others:
        said.append(_list(LIMITS_TOO if grave else LIMITS, others))
    return said or [ALL_WELL]


def _list(title: str, sentences: Iterable[str]) -> str:
    items = (textwrap.fill(text, _WIDTH, initial_indent="- ", subsequent_indent="  ") for text in sentences)
    return "\n".join([title, *items])


def _row(label: str, text: str) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent=label.ljust(_INDENT), subsequent_indent=" " * _INDENT, break_on_hyphens=False
    )


def _facts(machine: Machine) -> list[tuple[str, str]]:
    processor = machine.processor
    cores = "1 core" if processor.cores == 1 else f"{processor.cores} cores"
    devices, cards = machine.devices, machine.cards
    return [
        ("Secure Boot", _secure_boot(machine)),
        ("TPM", _tpm(machine)),
        ("Memory", _size(machine.memory_bytes)),
        ("Processor", f"{processor.name}, {cores}, x86-64-v{processor.level}"),
        *(("Disk", text) for text in _disks(machine)),
        *(("Graphics", f"{card.name}, {_driver(card.driver)}") for card in cards.graphics),
        ("Screens", ", ".join(cards.screens) or "none that a graphics driver knows of"),
        ("The model", _compute(machine)),
        ("Keyboard", ", ".join(devices.keyboards) or "none"),
        ("Temperature", ", ".join(f"{it.name} {it.celsius:.0f} C" for it in devices.sensors) or "no sensor"),
        ("Watchdog", ", ".join(devices.watchdogs) or "none"),
        ("Network", _network(machine)),
    ]


def _secure_boot(machine: Machine) -> str:
    firmware = machine.firmware
    if firmware.setup_mode:
        return "in setup mode: keys can be enrolled"
    match firmware.secure_boot:
        case True:
            return "on, with the keys that this image is signed with"
        case False:
            return "off, and not in setup mode: no keys can be enrolled"
        case None:
            return "the firmware does not say"


def _tpm(machine: Machine) -> str:
    tpm = machine.tpm
    if not tpm.version:
        return "none"
    if tpm.version != "2.0":
        return f"version {tpm.version}"
    return "2.0, but it did not seal a test value" if tpm.seal_error else "2.0; it sealed a test value and gave it back"


def _disks(machine: Machine) -> list[str]:
    return [
        " ".join(filter(None, [disk.name, disk.model])) + f", {disk.bus}, {_size(disk.size_bytes)}"
        f"{f'; I started from it, {_size(disk.free_bytes)} are free' if disk.started_from else ''}"
        for disk in machine.disks
    ] or ["none"]


def _driver(driver: str) -> str:
    return f"driver {driver}" if driver else "no driver"


def _compute(machine: Machine) -> str:
    compute = machine.compute
    if compute.error:
        return "its server does not run"
    code = f"code for {compute.variant}" if compute.variant else "code for any processor"
    return f"{code}; Vulkan: {', '.join(compute.devices) or 'nothing'}"


def _network(machine: Machine) -> str:
    cards = machine.cards.network
    if not cards:
        return "no card on the PCI bus"
    driven = sum(1 for card in cards if card.driver)
    there = f"{len(cards)} on the PCI bus"
    return f"{there}, {driven} with a driver" if driven else f"{there}; this image has no driver for any, on purpose"


def _size(size_bytes: int) -> str:
    """Write a size as people do who buy memory and disks; small ones in MiB."""
    return f"{size_bytes / GIB:.1f} GiB" if size_bytes >= GIB else f"{size_bytes >> 20} MiB"
