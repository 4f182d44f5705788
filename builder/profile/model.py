"""A profile: everything that one image is made from, as frozen values.

The fields have no defaults. A profile file may leave keys to the one it extends; the merged result must have them
all, so that every value of an image stands in a line that a person can be shown.
"""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field, model_validator

from builder.profile.catalogue import MAX_LABEL
from builder.profile.fields import (
    IsoDate,
    KernelConsole,
    List,
    Mirror,
    ModuleGlob,
    OverlayName,
    PackageName,
    ProfileName,
    SetName,
    Snapshot,
    Terminal,
)
from builder.profile.kernel import KernelArguments
from builder.profile.syntax import KeyPath
from builder.profile.validate import StrictModel, refuse

# What the runtime leaves to everything else on the machine.
MEMORY_FOR_THE_REST_BYTES = 1 << 30

# Shorter than this, a conversation is over before it begins.
LEAST_CONTEXT_TOKENS = 512

# x86-64 psABI, "Micro-Architecture Levels". Level 4 (AVX-512) is not offered: current mini-PCs do not have it.
ProcessorLevel = Literal["x86-64", "x86-64-v2", "x86-64-v3"]


class Image(StrictModel):
    """What the image is called, and when it is from."""

    id: str = Field(
        pattern="^[a-z][a-z0-9-]*$",
        description="Name of the image: lower-case letters, digits and dashes, starting with a letter. "
        "Files and partitions are named ID_VERSION.",
        examples=["claudineos"],
    )
    version: str = Field(
        pattern="^[0-9A-Za-z][0-9A-Za-z.~^-]*$",
        description="Version of the image: ASCII letters, digits, dot, tilde, caret and dash (UAPI version format).",
        examples=["0.1.0"],
    )
    source_date: IsoDate = Field(
        description="Newest date that a file in the image may have, so that every build gives the same bytes.",
        examples=["2026-11-01"],
    )

    @property
    def label(self) -> str:
        """Name of the image's partitions, and the start of its files' names."""
        return f"{self.id}_{self.version}"

    @property
    def source_date_epoch(self) -> int:
        """The source date's midnight, in seconds since 1970 UTC."""
        day = self.source_date
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())

    @model_validator(mode="after")
    def _label_fits(self) -> "Image":
        if len(self.label) > MAX_LABEL:
            message = f"makes the partition label {self.label}, which has more than {MAX_LABEL} characters"
            raise refuse(message, hint="Shorten it, or image.id", at=("version",))
        return self


class Distribution(StrictModel):
    """The Debian that the image is made from."""

    release: str = Field(
        pattern="^[a-z][a-z0-9-]*$", description="Debian's code name for the release.", examples=["forky"]
    )
    mirror: Mirror | None = Field(
        description="Web address of the Debian mirror; null for the one that the host's own apt uses.",
        examples=["https://mirror.example.org/debian"],
    )
    snapshot: Snapshot | None = Field(
        description="State of the archive to build from, written YYYYMMDDTHHMMSSZ; null for the newest.",
        examples=["20261101T000000Z"],
    )


class Boot(StrictModel):
    """From the firmware to the kernel."""

    enroll_keys: Literal["manual", "if-safe", "force"] = Field(
        description="When systemd-boot puts the owner's Secure Boot keys into firmware that has none: manual (a person "
        "chooses it in the menu), if-safe (by itself in virtual machines only), force (by itself everywhere).",
        examples=["if-safe"],
    )
    microsoft_certificates: bool = Field(
        description="Whether the keys to enrol include Microsoft's certificates for other makers' firmware: without "
        "them a graphics or network card may not start, with them whatever Microsoft signed starts as well.",
        examples=[True],
    )
    import_credentials: bool = Field(
        description="Whether systemd takes credentials that whoever makes the machine hands to it: a virtual machine's "
        "host, which tests need, or a mainboard's tables. They can start anything as root.",
        examples=[False],
    )
    kernel_arguments: KernelArguments = Field(
        description="List of kernel arguments to add to those of the overlays.", examples=[["loglevel=4"]]
    )
    console: List[KernelConsole] = Field(
        description="List of the consoles that the kernel writes to; the last one is /dev/console.",
        examples=[["tty0"]],
    )


class Storage(StrictModel):
    """Partitions."""

    esp_size_mib: int = Field(
        ge=64,
        le=4096,
        description="Size of the EFI system partition in MiB; it holds two kernel images of about 60 MiB each.",
        examples=[256],
    )
    unlock: Literal["tpm2", "passphrase"] = Field(
        description="What opens /var, which is encrypted: tpm2 (the machine's TPM, by itself, as long as the same "
        "machine starts the same owner's signed image) or passphrase (asked for at each start).",
        examples=["tpm2"],
    )


class Hardware(StrictModel):
    """The machines that the image runs on: only their drivers are in it."""

    architecture: Literal["x86-64"] = Field(description="Processor architecture.", examples=["x86-64"])
    memory_mib: int = Field(
        ge=1536,
        le=16777216,
        description="Memory in MiB of the smallest machine that the image is for; its model must fit.",
        examples=[2048],
    )
    minimum_processor: ProcessorLevel = Field(
        description="The least that the processor must be able to do, as a level of the x86-64 psABI; on a lesser one "
        "the image says so and does not start.",
        examples=["x86-64-v2"],
    )
    drivers: List[SetName] = Field(
        description="List of sets of drivers; each is the overlay hardware-NAME.", examples=[["storage", "watchdog"]]
    )
    firmware: List[SetName] = Field(
        description="List of sets of firmware and microcode that the makers of the hardware do not give the source of; "
        "each is the overlay firmware-NAME.",
        examples=[["intel-graphics", "intel-microcode"]],
    )
    gpu: Literal["none", "vulkan"] = Field(
        description="What the model is computed on beside the processor: none, or a graphics card through vulkan. "
        "Where no card can be used, the processor does it all, and the client says so.",
        examples=["none"],
    )
    gpu_device: str | None = Field(
        pattern="^Vulkan[0-9]$",
        description="Which graphics card, as llama-server names it; null for the dedicated ones, or else the one in "
        "the processor.",
        examples=["Vulkan0"],
    )
    kernel_modules: List[ModuleGlob] = Field(
        description="List of globs of the kernel modules in the image, as mkosi's KernelModules= takes them; the last "
        "one that fits a module decides.",
        examples=[["/drivers/virtio/"]],
    )
    initrd_modules: List[ModuleGlob] = Field(
        description="List of globs of the kernel modules in the initrd; they must be in the image as well.",
        examples=[["virtio_blk"]],
    )

    @property
    def memory_for_model_bytes(self) -> int:
        """What the smallest machine has for its model."""
        return (self.memory_mib << 20) - MEMORY_FOR_THE_REST_BYTES

    @property
    def overlays(self) -> tuple[tuple[str, KeyPath], ...]:
        """The overlays that these fields choose, each with the field that does."""
        sets = [
            *((f"hardware-{name}", ("hardware", "drivers", index)) for index, name in enumerate(self.drivers)),
            *((f"firmware-{name}", ("hardware", "firmware", index)) for index, name in enumerate(self.firmware)),
        ]
        stack: list[tuple[str, KeyPath]] = [] if self.gpu == "none" else [(self.gpu, ("hardware", "gpu"))]
        return (*sets, *stack)

    @model_validator(mode="after")
    def _has_the_device(self) -> "Hardware":
        if self.gpu_device and self.gpu == "none":
            raise refuse("names a graphics card, and hardware.gpu uses none", hint="Use null", at=("gpu_device",))
        return self


class Network(StrictModel):
    """How the device reaches others."""

    mode: Literal["none", "lan"] = Field(
        description="none (no driver, no address, no packet) or lan (the local network; not yet).", examples=["none"]
    )

    @model_validator(mode="after")
    def _is_built(self) -> "Network":
        if self.mode == "lan":
            raise refuse("cannot be 'lan' yet: images do not speak to a network", hint="Use none", at=("mode",))
        return self


class ChosenModel(StrictModel):
    """The language model that is in the image, and what this image wants of it."""

    name: str = Field(
        pattern="^[a-z0-9][a-z0-9.-]*$",
        description="Name of a model in the catalogue: that of its file in models/, without .yaml.",
        examples=["smollm2-135m"],
    )
    context_tokens: int | None = Field(
        ge=LEAST_CONTEXT_TOKENS,
        le=1048576,
        description="Longest conversation in tokens that the model is given, where there is memory for it; null for "
        "what it was trained for.",
        examples=[2048],
    )


class Client(StrictModel):
    """The program that a person talks to."""

    consoles: List[Terminal] = Field(
        description="List of the terminals that show the client in place of a login prompt.", examples=[["tty1"]]
    )


class Profile(StrictModel):
    """Everything that one ClaudineOS image is made from."""

    schema_version: Literal[1] = Field(alias="schema", description="Version of this file format.", examples=[1])
    name: ProfileName = Field(description="Name of the profile: that of its file, without .yaml.")
    description: str = Field(
        min_length=1,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="What the image is for, in one line.",
        examples=["A virtual machine for trying things out"],
    )
    extends: ProfileName | None = Field(
        None, description="Name of the profile that this one builds on: its keys hold unless they are given here."
    )
    image: Image
    distribution: Distribution
    boot: Boot
    storage: Storage
    hardware: Hardware
    network: Network
    model: ChosenModel
    client: Client
    overlays: List[OverlayName] = Field(
        description="List of the overlays that the image is laid from, in this order.",
        examples=[["base", "hardening", "runtime", "client"]],
    )
    packages: List[PackageName] = Field(
        description="List of Debian packages to add to those of the overlays.", examples=[["iproute2"]]
    )

    @property
    def all_overlays(self) -> tuple[tuple[str, KeyPath], ...]:
        """The overlays that are named and then those that the hardware asks for, each with the value that says so."""
        named = tuple((name, ("overlays", index)) for index, name in enumerate(self.overlays))
        return (*named, *self.hardware.overlays)
