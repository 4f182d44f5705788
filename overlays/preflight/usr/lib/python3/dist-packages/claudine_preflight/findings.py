"""What will not work on this machine: the facts against what the image needs. Nothing is looked at here."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from claudine_preflight.disks import STATE_LABEL
from claudine_preflight.machine import Machine

GIB = 1 << 30
# What the definition of the state partition asks for at least (repart.d/50-state.conf).
LEAST_STATE_BYTES = 256 << 20
# What is left to everything but the model.
REST_BYTES = 1 * GIB
# With fewer instructions ggml computes in narrower steps.
FAST_LEVEL = 3
# Below this, the settings of the chip itself step in.
HOT_CELSIUS = 90


class Kind(StrEnum):
    """What can be wrong; the voice has a sentence for each."""

    SETUP_MODE = "keys can be enrolled"
    FOREIGN_KEYS = "the firmware has somebody else's keys"
    SECURE_BOOT_UNKNOWN = "the firmware says nothing of Secure Boot"
    NO_KEYS = "no keys to enrol on the disk"
    NO_TPM = "no TPM"
    OLD_TPM = "not a TPM 2.0"
    NO_SHA256 = "the TPM keeps no SHA-256 values"
    SEAL_FAILED = "the TPM did not seal"
    LITTLE_MEMORY = "too little memory for the model"
    LITTLE_ROOM = "too little room on the disk"
    NO_KEYBOARD = "no keyboard"
    NO_COMPUTE = "the model's server does not start"
    SLOW_PROCESSOR = "an old processor"
    NO_VULKAN = "no graphics for the model"
    NO_GRAPHICS_DRIVER = "a graphics card without a driver"
    HIDDEN_DISKS = "a controller that hides disks"
    HOT = "it is hot"


# Without a way around these, the usual start does not come to its end.
PREVENTS_START = frozenset(
    {
        Kind.SETUP_MODE,
        Kind.FOREIGN_KEYS,
        Kind.SECURE_BOOT_UNKNOWN,
        Kind.NO_TPM,
        Kind.OLD_TPM,
        Kind.NO_SHA256,
        Kind.SEAL_FAILED,
        Kind.LITTLE_MEMORY,
        Kind.LITTLE_ROOM,
        Kind.NO_COMPUTE,
    }
)


@dataclass(frozen=True)
class Finding:
    """Something that will not work, and what it is about where there can be more than one."""

    kind: Kind
    about: str = ""


def judge(machine: Machine) -> tuple[Finding, ...]:
    """Return what is wrong, in the order of a start."""
    return (
        *_secure_boot(machine),
        *_tpm(machine),
        *_memory(machine),
        *_disk(machine),
        *_model(machine),
        *_devices(machine),
    )


def _secure_boot(machine: Machine) -> Iterator[Finding]:
    firmware = machine.firmware
    if firmware.setup_mode:
        yield Finding(Kind.SETUP_MODE)
        if machine.has_keys is False:
            yield Finding(Kind.NO_KEYS)
    elif firmware.secure_boot is None:
        yield Finding(Kind.SECURE_BOOT_UNKNOWN)
    elif not firmware.secure_boot:
        # With keys that had started this image, Secure Boot would only have to be switched on; which they are is seen
        # when it is.
        yield Finding(Kind.FOREIGN_KEYS)


def _tpm(machine: Machine) -> Iterator[Finding]:
    tpm = machine.tpm
    if machine.unlock != "tpm2":
        return
    if not tpm.version:
        yield Finding(Kind.NO_TPM)
    elif tpm.version != "2.0":
        yield Finding(Kind.OLD_TPM, tpm.version)
    elif not tpm.has_sha256:
        yield Finding(Kind.NO_SHA256)
    elif tpm.seal_error:
        yield Finding(Kind.SEAL_FAILED, tpm.seal_error)


def _memory(machine: Machine) -> Iterator[Finding]:
    # A machine of 2 GiB shows a little less, because the firmware and the kernel keep some of it.
    if machine.model_bytes and machine.memory_bytes < machine.model_bytes + REST_BYTES:
        yield Finding(Kind.LITTLE_MEMORY)


def _disk(machine: Machine) -> Iterator[Finding]:
    disk = machine.started_from
    if disk and STATE_LABEL not in disk.labels and disk.free_bytes < LEAST_STATE_BYTES:
        yield Finding(Kind.LITTLE_ROOM, disk.name)
    for card in machine.cards.raid:
        if not card.driver:
            yield Finding(Kind.HIDDEN_DISKS, card.name)


def _model(machine: Machine) -> Iterator[Finding]:
    if machine.compute.error:
        yield Finding(Kind.NO_COMPUTE, machine.compute.error)
        return
    if machine.processor.level < FAST_LEVEL:
        yield Finding(Kind.SLOW_PROCESSOR)
    if machine.compute.wanted == "vulkan" and not machine.compute.devices:
        yield Finding(Kind.NO_VULKAN)


def _devices(machine: Machine) -> Iterator[Finding]:
    if not machine.devices.keyboards:
        yield Finding(Kind.NO_KEYBOARD)
    for card in machine.cards.graphics:
        if not card.driver:
            yield Finding(Kind.NO_GRAPHICS_DRIVER, card.name)
    for sensor in machine.devices.sensors:
        if sensor.celsius >= HOT_CELSIUS:
            yield Finding(Kind.HOT, sensor.name)
